"""The operator's terminal makes the same files."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from sqlalchemy import select
from typer.testing import CliRunner, Result

from bot.cli.commands import cli
from bot.settings import Settings
from storage.checkins import checkins
from storage.core import audit_log
from storage.core.database import Database
from storage.people import people
from storage.people.people_tables import account
from storage.record import certificates
from tests.canary import hunt
from tests.documents import reading
from tests.world import OPERATOR_KEY, World

DANA = "dana@example.org"
SECRET = "CANARY-7731"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "x")
    monkeypatch.setenv("PLC_ENCRYPTION_KEYS", OPERATOR_KEY)
    monkeypatch.setenv("PLC_DATABASE_URL", "sqlite:///plc.sqlite")
    world = World(Database(f"sqlite:///{tmp_path / 'plc.sqlite'}"))
    world.prepare()
    world.import_roster()
    yield world
    world.close()


def issued(world: World) -> certificates.Certificate:
    with world.database.write() as tx:
        person = people.by_email(tx, DANA)
        assert person
        return certificates.issue(world.work(tx), person.id, person.name, "example/1", None)


def plc(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words), catch_exceptions=False)


def test_a_certificate_and_its_packet_are_written(program: World, tmp_path: Path) -> None:
    reading.need_tools()
    code = issued(program).code
    assert "Wrote c.pdf." in plc("certificate", "write", DANA, "--output", "c.pdf").output
    file = tmp_path / "c.pdf"
    reading.check(file)
    assert file.stat().st_mode & 0o077 == 0
    text = reading.words(file)
    assert f"The program confirms this code {code}" in text  # nobody's browser reaches a bot in Socket Mode
    assert plc("certificate", "write", DANA, "--output", "p.pdf", "--packet").exit_code == 0
    assert f"Certificate {code}: issued" in reading.words(tmp_path / "p.pdf")


def test_with_an_address_it_has_a_qr_code(program: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading.need_tools()
    code = issued(program).code
    monkeypatch.setenv("PLC_PUBLIC_URL", "https://plc.example.org/")
    plc("certificate", "write", DANA, "--output", "c.pdf")
    assert reading.qr_texts(reading.picture(tmp_path / "c.pdf")) == [f"https://plc.example.org/verify/{code}"]


def test_what_is_not_there_is_said(program: World) -> None:
    for words, said in (
        (("certificate", "write", DANA, "--output", "c.pdf"), "has no certificate"),
        (("certificate", "write", "x@example.org", "--output", "c.pdf"), "No one on the roster has the address"),
        (("certificate", "write", "ruth@example.org", "--output", "c.pdf", "--packet"), "not enrolled"),
        (("export", "--output", "x.pdf"), "must end in .xlsx or .csv"),
        (("export", "--output", "x.csv", "--cohort", "Nowhere"), "There is no cohort Nowhere"),
    ):
        result = plc(*words)
        assert result.exit_code == 1
        assert said in " ".join(result.output.split())


def test_a_revoked_certificate_is_not_written(program: World) -> None:
    certificate = issued(program)
    with program.database.write() as tx:
        certificates.revoke(program.work(tx), certificate, "holder_asked", None)
    assert "no longer valid" in plc("certificate", "write", DANA, "--output", "c.pdf").output


def test_a_place_that_cannot_be_written_is_named(program: World) -> None:
    result = plc("export", "--output", "nowhere/x.csv")
    assert result.exit_code == 1
    assert "I can't write nowhere/x.csv" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("options", "first", "rows"),
    [
        ((), "Mentee", 1),
        (("--standings",), "Mentee", 4),
        (("--cohort", "gateway", "--standings"), "Mentee", 1),
        (("--mentee", DANA), "Mentee", 1),
    ],
)
def test_exports_are_written(program: World, tmp_path: Path, options: tuple[str, ...], first: str, rows: int) -> None:
    issued(program)
    assert plc("export", "--output", "x.csv", *options).exit_code == 0
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        reader = list(csv.reader(file))
    assert reader[0][0] == first
    assert len(reader) - 1 == rows
    assert plc("export", "--output", "x.xlsx", *options).exit_code == 0
    assert (tmp_path / "x.xlsx").read_bytes().startswith(b"PK")


def written_by_dana(world: World) -> None:
    """A reflection of Dana's."""
    dana = world.matched("Dana Reyes", DANA)
    with world.database.write() as tx:
        work = world.work(tx)
        mine = tx.scalar(select(account.c.id).where(account.c.person_id == dana.id))
        assert mine is not None
        [checkin] = checkins.open_checkins(work, [(dana.id, work.now.date(), [])], work.now)
        world.vault.ensure_keys(work, [dana.id])
        text = json.dumps({"typed": SECRET})
        for kind in ("reflection", "shared"):
            world.vault.save(work, kind, text, person_id=dana.id, account_id=mine, checkin_id=checkin.id)


@pytest.mark.parametrize("confidential", [False, True])
def test_everything_about_a_person_is_written_for_them(program: World, tmp_path: Path, confidential: bool) -> None:
    """Without what was written in confidence, unless the operator asks for it; either is noted for the person."""
    written_by_dana(program)
    options = ("--with-confidential",) if confidential else ()
    assert plc("person", "export", "dana", "--output", "dana.zip", *options).exit_code == 0
    assert (tmp_path / "dana.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "dana.zip") as file:
        data = json.loads(file.read("about.json"))
        page = file.read("about.html").decode()
    assert data["Person"][0]["name"] == "Dana Reyes"
    for kind in ("Reflections", "Reflections as you shared them", "Check-ins", "Choices about check-ins"):
        assert len(data.get(kind, ())) == int(confidential), "whether Dana takes part is hers to know"
    assert (SECRET in str(data), SECRET in page) == (confidential, confidential)
    with program.database.read() as tx:
        person = people.by_email(tx, DANA)
        assert person
        noted = [line.detail for line in audit_log.entries(tx, person.id) if line.what == "person.exported"]
    assert noted == [{"confidential": confidential}]


def leaves(command: object, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every command of the terminal, without its options."""
    below = getattr(command, "commands", {})
    return {path} if not below else set().union(*(leaves(command, (*path, name)) for name, command in below.items()))


NOT_TRIED = {("run",), ("keys", "recover"), ("manifest", "slack"), ("manifest", "teams"), ("person", "forget")}
NOT_TRIED |= {("history", "import")}  # the earlier name of "attendance import"
TRIED = (
    ("backup", "b.sqlite", "--keys", "k.sqlite"),
    ("restore", "b.sqlite", "--check"),
    ("migrate",),
    ("export", "--output", "all.csv"),
    ("export", "--output", "dana.csv", "--mentee", DANA),
    ("doctor",),
    ("attendance", "import", "h.csv", "--attested-by", "ruth@example.org"),
    ("ledger", "verify"),
    ("certificate", "write", DANA, "--output", "p.pdf", "--packet"),
    ("roster", "import", "r.csv"),
    ("people", "list"),
    ("people", "match", DANA, "U-nobody"),
    ("policy", "check", "p.toml"),
    ("policy", "adopt", "p.toml"),
    ("keys", "new"),
    ("keys", "rotate"),
    ("keys", "check"),
    ("person", "hold", DANA, "--reason", "audit"),
    ("person", "release", DANA),
    ("person", "export", DANA, "--output", "dana.zip"),
    ("forgotten", "export", "list.json"),
)


def test_no_other_command_shows_what_was_written(program: World, tmp_path: Path) -> None:
    written_by_dana(program)
    tried = {words[:2] if words[:2] in leaves(typer.main.get_command(cli)) else words[:1] for words in TRIED}
    assert tried | NOT_TRIED == leaves(typer.main.get_command(cli))
    for words in TRIED:
        assert SECRET not in plc(*words).output, words
    for file in tmp_path.iterdir():
        assert hunt.words_in(hunt.unpacked(file.name, file.read_bytes()), [SECRET]) == []


def test_who_is_meant_must_be_clear(program: World) -> None:
    assert ("No one on the roster is called") in " ".join(
        plc("person", "export", "nobody", "--output", "x.zip").output.split()
    )
    program.import_roster("cohort,role,name,email\nOzarks,mentee,Dana Other,other@example.org\n")
    said = " ".join(plc("person", "export", "Dana", "--output", "x.zip").output.split())
    assert "Several people match Dana" in said
