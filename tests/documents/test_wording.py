"""The operator's certificate file: every wrong field is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.documents.wording import BadWording, read_wording
from bot.settings import SettingsError, load
from program.record.certificate import RECORD_HEADING


def wrong(tmp_path: Path, text: str) -> str:
    file = tmp_path / "certificate.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadWording) as error:
        read_wording(file)
    return str(error.value)


def test_without_a_file_it_is_no_certificate() -> None:
    assert read_wording(None).heading == RECORD_HEADING
    assert not read_wording(None).complete


def test_a_heading_alone_does_not_make_a_certificate(tmp_path: Path) -> None:
    file = tmp_path / "certificate.toml"
    file.write_text('heading = "Certificate"\nissuer = "The office"\n', encoding="utf-8")
    wording = read_wording(file)
    assert wording.heading == RECORD_HEADING
    assert wording.issuer == "The office"


def test_wording_and_signatory_make_it_one(tmp_path: Path) -> None:
    file = tmp_path / "certificate.toml"
    file.write_text('wording = "Thanks."\nsignatory = "M. Holloway"\n', encoding="utf-8")
    assert read_wording(file).heading == "Certificate of completion"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wording =", "is not valid TOML"),
        ("colour = 'red'", "colour is not a setting. Use heading, wording"),
        ("signatory = 5", "signatory must be text in quotes."),
        ("signatory = 'S'", "Add wording. A certificate needs it together with signatory."),
        ("wording = 'W'", "Add signatory"),
        (f"heading = '{'x' * 81}'", "heading has 81 characters. Use 80 or fewer."),
        ("wording = 'She is eligible for CSS.'\nsignatory = 'S'", "says only that mentoring is complete"),
        ("logo = 'logo.png'", "there is no file logo.png beside it."),
        ("logo = 'logo.gif'", "logo must be a .png, .jpg or .svg file."),
        ("logo = 'text.png'\nlogo_alt = 'A seal'", "text.png is not a png picture."),
        ("logo = 'logo.svg'", "Add logo_alt"),
        ("template = 'own.typ'", "there is no file own.typ beside it."),
        ("fonts = 'fonts'", "there is no folder fonts beside it."),
    ],
)
def test_each_wrong_field_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert said in wrong(tmp_path, text)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    assert len(wrong(tmp_path, "signatory = 'S'\nlogo = 'logo.gif'\nfonts = 'x'").splitlines()) == 4


def test_a_wrong_file_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLC_CERTIFICATE", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match=r"PLC_CERTIFICATE: I can't read .*none\.toml: No such file"):
        load(None)
