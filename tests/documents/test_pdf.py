"""The PDFs, read by other programs than the one that made them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.documents.pdf import LAST_SHOWN, PLAIN, SCRIPTS, _showable, certificate_pdf, packet_pdf
from bot.documents.wording import Logo, Wording, read_wording
from program.record.certificate import COMPLETED, RECORD_HEADING
from tests.documents import reading
from tests.specimens import HOSTILE, LONG_NAME

AT = datetime(2028, 5, 20, 15, 0, tzinfo=UTC)
CODE = "7K3Q-M2XH-TR90-ABCD"
VERIFY = f"https://plc.example.org/verify/{CODE}"
COMMON = {
    "issuer": "Counselor mentoring program",
    "example": False,
    "completed": COMPLETED,
    "policy": {"label": "Example, not DESE policy", "version": "1"},
    "code": CODE,
    "verify": VERIFY,
    "verify_at": VERIFY.removeprefix("https://"),
}
RECORD = {
    **COMMON,
    "heading": RECORD_HEADING,
    "certificate": False,
    "name": "Dana Reyes",
    "wording": "",
    "signatory": "",
    "signatory_title": "",
    "issued": "May 20, 2028",
}
SIGNED = {
    **RECORD,
    "heading": "Certificate of completion",
    "certificate": True,
    "wording": "Given with thanks for the work done for the students of Missouri.",
    "signatory": "Margaret Holloway",
    "signatory_title": "Director of School Counseling",
}
LINE = {
    "number": 1,
    "happened": "Sep 10, 2026",
    "what": "Meeting “First steps”: confirmed, present",
    "why": "I learned about it later",
    "recorded": "Sep 10, 2026, 4:35 PM",
    "by": "Ruth Ellison",
    "proof": "a mentor",
    "mark": "6b86b273ff34fce1",
}
PACKET = {
    **COMMON,
    "heading": "Full record",
    "name": "Dana Reyes",
    "made": "May 21, 2028, 9:00 AM",
    "zone": "Central Time",
    "facts": [("Cohort", "Ozarks"), ("Year 1 (2026-27)", "8 of 8 meetings")],
    "lines": [LINE],
    "head": "ab12" * 16,
}


@pytest.fixture(autouse=True)
def tools() -> None:
    reading.need_tools()


def certificate(tmp_path: Path, data: dict[str, Any], wording: Wording | None = None) -> Path:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(certificate_pdf(data, wording or Wording(), AT))
    reading.check(file)
    return file


def packet(tmp_path: Path, data: dict[str, Any]) -> Path:
    file = tmp_path / "packet.pdf"
    file.write_bytes(packet_pdf(data, Wording(), AT))
    reading.check(file)
    return file


def test_a_record_of_completion_reads_in_order(tmp_path: Path) -> None:
    assert reading.words(certificate(tmp_path, RECORD)) == (
        "Counselor mentoring program "
        "Record of completion, not a DESE certificate "
        "The program’s record shows that "
        "Dana Reyes "
        "completed the two-year mentoring program "
        "under the policy “Example, not DESE policy”, version 1. "
        "Issued May 20, 2028 "
        "This covers the mentoring requirement only. Certification has other requirements. "
        "Check this document "
        f"{CODE} "
        f"plc.example.org/verify/{CODE}"
    )


def test_a_signed_certificate_reads_in_order(tmp_path: Path) -> None:
    text = reading.words(certificate(tmp_path, SIGNED))
    order = [
        "Counselor mentoring program",
        "Certificate of completion",
        "This certifies that Dana Reyes completed the two-year mentoring program",
        "version 1.",
        "Given with thanks",
        "Margaret Holloway Director of School Counseling",
        "Issued May 20, 2028",
        CODE,
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "eligib" not in text.lower()
    assert RECORD_HEADING not in text


@pytest.mark.parametrize("kind", ["certificate", "packet"])
def test_it_is_tagged_titled_in_english_and_carries_its_fonts(tmp_path: Path, kind: str) -> None:
    file = certificate(tmp_path, SIGNED) if kind == "certificate" else packet(tmp_path, PACKET)
    info = reading.info(file)
    assert info["Tagged"] == "yes"
    assert (
        info["Title"]
        == {
            "certificate": "Certificate of completion: Dana Reyes",
            "packet": "Full record: Dana Reyes",
        }[kind]
    )
    assert info["Author"] == "Counselor mentoring program"
    assert info["JavaScript"] == "no"
    described = reading.metadata(file)
    assert "<pdfuaid:part>1</pdfuaid:part>" in described
    assert "<rdf:li>en-US</rdf:li>" in described
    assert b"/Lang" in subprocess.run(
        ["qpdf", "--qdf", "--object-streams=disable", str(file), "-"], check=True, capture_output=True
    ).stdout  # fmt: skip
    fonts = reading.fonts(file)
    assert fonts
    assert all(line[54:].split()[2] == "yes" for line in fonts), fonts


def test_a_screen_reader_hears_the_heading_and_the_picture(tmp_path: Path) -> None:
    tags = reading.structure(certificate(tmp_path, SIGNED))
    assert "H1" in tags
    assert "Figure" in tags
    assert tags.index("Certificate of completion") < tags.index("Dana Reyes") < tags.index(COMPLETED)
    raw = reading._run("qpdf", "--qdf", "--object-streams=disable", str(tmp_path / "certificate.pdf"), "-")
    assert b"QR code with the address that checks this document" in raw


def test_the_packets_table_has_headers(tmp_path: Path) -> None:
    tags = reading.structure(packet(tmp_path, PACKET))
    for part in ("H1", "H2", "Table", "TH", "TD"):
        assert part in tags
    assert tags.index("Date") < tags.index("First steps")


def test_a_camera_reads_the_address_from_the_page(tmp_path: Path) -> None:
    assert reading.qr_texts(reading.picture(certificate(tmp_path, SIGNED))) == [VERIFY]


def test_without_an_address_there_is_no_picture(tmp_path: Path) -> None:
    file = certificate(tmp_path, RECORD | {"verify": "", "verify_at": ""})
    assert reading.qr_texts(reading.picture(file)) == []
    assert f"The program confirms this code {CODE}" in reading.words(file)


def test_an_example_says_so(tmp_path: Path) -> None:
    assert "Example data, not a real certificate." in reading.words(certificate(tmp_path, RECORD | {"example": True}))
    assert "Example data, not a real record." in reading.words(packet(tmp_path, PACKET | {"example": True}))


def test_the_same_certificate_is_the_same_file() -> None:
    assert certificate_pdf(SIGNED, Wording(), AT) == certificate_pdf(SIGNED, Wording(), AT)


TYPST = '#panic("run") #read("/etc/passwd") #image("x") $x$ *b* _i_ @ref <label> // comment /* = heading \\u{41} `raw`'


@pytest.mark.parametrize("name", [TYPST, HOSTILE[:190], LONG_NAME[:200], "x" * 200, "日本 ﷽ 🎉 עברית", "'\"}{)("])
def test_hostile_names_are_only_names(tmp_path: Path, name: str) -> None:
    file = certificate(tmp_path, SIGNED | {"name": name, "issuer": name, "signatory": name})
    assert reading.info(file)["Pages"] == "1"
    plain = "".join(char for char in name.split("\u202e", maxsplit=1)[0] if _showable(char))
    assert plain.replace(" ", "")[:30] in reading.words(file).replace(" ", "")
    listed = packet(tmp_path, PACKET | {"name": name, "lines": [LINE | {"what": name, "why": name, "by": name}]})
    assert plain.replace(" ", "")[:30] in reading.words(listed).replace(" ", "")


def test_everything_at_its_longest_is_still_one_page(tmp_path: Path) -> None:
    most = {"wording": 600, "signatory": 100, "signatory_title": 150, "issuer": 150, "heading": 80}
    longest = {name: ("Wort " * 200)[:count].strip() for name, count in most.items()}
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'
    data = SIGNED | longest | {"name": LONG_NAME[:200], "example": True}
    file = certificate(tmp_path, data, Wording(logo=Logo(svg, ".svg", "A seal")))
    assert reading.info(file)["Pages"] == "1"
    assert reading.qr_texts(reading.picture(file)) == [VERIFY]


def test_a_letter_that_no_font_has_is_an_open_box(tmp_path: Path) -> None:
    assert "Kim □□" in reading.words(certificate(tmp_path, RECORD | {"name": "Kim 日本"}))


def test_every_letter_that_is_called_showable_can_be_shown(tmp_path: Path) -> None:
    import unicodedata

    every = [
        chr(code)
        for code in range(0x20, LAST_SHOWN)
        if unicodedata.name(chr(code), "").startswith(SCRIPTS) and unicodedata.category(chr(code)) not in ("Mn", "Me")
    ]
    text = " ".join([*every, *sorted(PLAIN), "□"])
    lines = [LINE | {"what": text[start : start + 300]} for start in range(0, len(text), 300)]
    file = packet(tmp_path, PACKET | {"lines": lines})
    assert reading.words(file).count("□") == 1


def test_a_packet_has_every_line_and_the_head(tmp_path: Path) -> None:
    lines = [LINE | {"number": number, "mark": f"{number:016x}"} for number in range(1, 81)]
    file = packet(tmp_path, PACKET | {"lines": lines})
    text = reading.words(file)
    assert int(reading.info(file)["Pages"]) > 3
    for number in range(1, 81):
        assert f"Check code {number:016x}" in text
    assert "Why: I learned about it later Confirmed by a mentor" in text
    assert "by Ruth Ellison" in text
    assert f"plc-bot ledger verify --head {PACKET['head']}" in text
    assert "Cohort Ozarks Year 1 (2026-27) 8 of 8 meetings" in text
    assert "eligib" not in text.lower()


def test_an_empty_record_is_a_document_too(tmp_path: Path) -> None:
    data = PACKET | {"lines": [], "head": "", "code": "", "verify": "", "verify_at": "", "completed": ""}
    text = reading.words(packet(tmp_path, data))
    assert "Nothing is recorded yet." in text
    assert "ledger verify" not in text


def test_a_full_record_says_in_plain_words_what_it_is_and_how_it_is_checked(tmp_path: Path) -> None:
    text = reading.words(packet(tmp_path, PACKET))
    assert text.startswith("Counselor mentoring program Full record Dana Reyes")
    assert "A correction is a new entry. Times are in Central Time." in text
    details = "Each entry has a check code that depends on the one before it. To check this record, the operator runs: "
    assert f"Details {details}plc-bot ledger verify --head" in text
    assert text.count(str(PACKET["head"])) == 1
    assert "This covers mentoring only. Reflections and check-in numbers are never included." in text


def test_a_right_to_left_name_is_isolated_in_its_line(tmp_path: Path) -> None:
    """Without the marks, what stands beside such a name changes places with it."""
    source = '#let data = json("data.json")\n#set document(title: repr(data.name))\n#repr(data.name)'
    file = certificate(tmp_path, SIGNED | {"name": "שרה כהן"}, Wording(template=source))
    assert reading.info(file)["Title"] == '"\\u{2068}שרה כהן\\u{2069}"'


def test_direction_marks_that_somebody_typed_are_not_kept(tmp_path: Path) -> None:
    source = '#let data = json("data.json")\n#set document(title: repr(data.name))\n#data.name'
    file = certificate(tmp_path, SIGNED | {"name": "Dana \u202eseyeR\u2066"}, Wording(template=source))
    assert reading.info(file)["Title"] == '"Dana seyeR"'


def test_the_operators_logo_template_and_fonts_are_used(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'
    )
    (tmp_path / "own.typ").write_text(
        '#let data = json("data.json")\n#set document(title: data.heading)\n= Our own: #data.name\n'
        "#image(data.logo, alt: data.logo_alt)\n"
    )
    (tmp_path / "fonts").mkdir()
    (tmp_path / "c.toml").write_text(
        'wording = "W"\nsignatory = "S"\nlogo = "logo.svg"\nlogo_alt = "A round seal"\n'
        'template = "own.typ"\nfonts = "fonts"\n'
    )
    wording = read_wording(tmp_path / "c.toml")
    file = certificate(tmp_path, SIGNED, wording)
    assert "Our own: Dana Reyes" in reading.words(file)
    assert "A round seal" in reading._run("qpdf", "--qdf", "--object-streams=disable", str(file), "-").decode("latin1")
    (tmp_path / "c.toml").write_text('logo = "logo.svg"\nlogo_alt = "A round seal"\n')
    assert "Figure" in reading.structure(certificate(tmp_path, SIGNED, read_wording(tmp_path / "c.toml")))


def test_a_missing_tool_is_said_loudly_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _tool: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.warns(pytest.PytestWarning, match="PDFs are NOT checked"), pytest.raises(pytest.skip.Exception):
        reading.need_tools()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="qpdf and poppler-utils"):
        reading.need_tools()
