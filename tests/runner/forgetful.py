"""A broker at the real practice market that has forgotten some of what happened there."""


class Forgetful:
    """Passes everything on; ``forget`` and ``hide`` say what the venue does not know any more."""

    def __init__(self, broker):
        self._broker = broker
        self.forgotten = set()
        self.hidden = False
        self.asked = []

    def __getattr__(self, name):
        return getattr(self._broker, name)

    def forget(self, *names):
        """Orders, by client id or by the venue's own."""
        self.forgotten |= set(names)

    async def find(self, request):
        self.asked.append(request.client_id)
        return await self._known(self._broker.find(request))

    async def find_by_venue_id(self, symbol, venue_id):
        return await self._known(self._broker.find_by_venue_id(symbol, venue_id))

    async def executions(self, symbol, since):
        found = await self._broker.executions(symbol, since)
        return [] if self.hidden else found

    async def _known(self, question):
        report = await question
        if report is None or self.forgotten & {report.client_id, report.venue_id}:
            return None
        return report


def make_forgetful(bench, desk):
    bench.broker = desk._broker = Forgetful(bench.broker)
    return bench.broker
