"""The table of permissions says what the registry says."""

from app.domain.access import GUARDS, MATRIX, Permission
from app.models import Role
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
