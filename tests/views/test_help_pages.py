"""The table of permissions says what the registry says."""

from decimal import Decimal

from app.domain import paper_guide
from app.domain.access import GUARDS, MATRIX, Permission
from app.models import Role
from runner.exchange import paper
from runner.exchange.base import DEPTH
from runner.exchange.ccxt import TAPE
from runner.exchange.paper_terms import Margin, Terms, Trigger
from tests.views.conftest import as_person

ROLES = list(reversed(Role))


def test_the_table_has_every_cell(owner):
    page = owner.get("/help/permissions")
    rows = [row for table in page.all("table") for row in table.all("tr") if row.all("td")]
    told = {row.all("code")[0].text: row for row in rows}
    assert list(told) == [right.value for right in Permission]
    for right in Permission:
        cells = ["yes" in cell.text for cell in told[right.value].all("td")]
        assert cells == [right in MATRIX[role] for role in ROLES], right
        asked = "confirms who you are" in told[right.value].text
        assert asked == ("reauth" in GUARDS.get(right, ()))


def test_it_is_found_from_help_and_from_a_refusal(pages, desk):
    viewer = as_person(pages, desk, "viewer")
    viewer.get("/help")
    assert viewer.links("The table of permissions") == ["/help/permissions"]
    viewer.get(f"{desk.home}/audit", 403)
    assert viewer.links("Who may do what") == ["/help/permissions"]


def test_what_paper_leaves_out_is_one_click_from_each_of_its_results(pages, desk):
    viewer = as_person(pages, desk, "viewer")
    viewer.get("/help")
    [address] = viewer.links("What paper trading does not model")
    text = viewer.get(address).text
    for one in paper_guide.OMITTED:
        assert one.what in text
        assert one.why in text
    for tab in ("", "/orders", "/history"):
        viewer.get(f"{desk.bot}{tab}")
        assert viewer.links("what paper trading does not model") == [address]


def test_the_guide_to_paper_names_the_numbers_of_the_venue_itself():
    terms, said = Terms(), " ".join(paper_guide.MODELLED)
    assert f"at most {terms.leverage} times the equity, all of which" in said
    assert terms.margin is Margin.CROSS
    assert f"Below {terms.maintenance * 100:f}".rstrip("0") + " %" in said
    assert f"with {terms.withdrawn * 100:.0f} % of the shown size gone" in said
    assert terms.trigger is Trigger.LAST
    assert "fires on the last trade" in said
    assert (terms.fees, terms.reject_rate) == (None, Decimal(0))
    left = {one.what: one.why for one in paper_guide.OMITTED}
    assert f"more than {TAPE} trades" in left["What happens between two looks"]
    assert f"{DEPTH} levels" in left["Sizes beyond the book that is read"]
    assert paper._FUNDING_EVERY.total_seconds() == 60
