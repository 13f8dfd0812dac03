"""A strategy leaves as a file and comes back as one."""

from io import BytesIO


def test_what_was_exported_is_imported(owner, desk):
    text = owner.get(f"{desk.strategy}/v/1/export")
    assert owner.response.headers["Content-Disposition"].startswith("attachment;")
    here = f"{desk.home}/strategies/import"
    owner.get(here)
    owner.post(here, file=(BytesIO(text.encode()), "mine.yaml"))
    assert owner.page.all("h1")[0].text.endswith("v1")
    assert owner.at != f"{desk.strategy}"
    assert owner.get(f"{owner.at}/v/1/export") == text


def test_a_file_with_faults_names_each(owner, desk):
    text = owner.get(f"{desk.strategy}/v/1/export")
    here = f"{desk.home}/strategies/import"
    owner.get(here)
    broken = text.replace("fast: 5", "fast: 0").replace("percent: ", "percent: -")
    page = owner.post(here, 422, file=(BytesIO(broken.encode()), "mine.yaml"))
    faults = [item.text for item in page.by_class("error-summary")[0].all("li")]
    assert any(fault.startswith("Signal 1, ") for fault in faults)
    assert any(fault.startswith("Exit 1, ") for fault in faults)


def test_no_file_is_said(owner, desk):
    here = f"{desk.home}/strategies/import"
    owner.get(here)
    assert "format: plutarc strategy 1" in owner.post(here, 422).text
