"""What the operator sets about certificates: wording, signatory, logo, template, in a file of their own (TOML)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from program.record.certificate import RECORD_HEADING

HEADING = "Certificate of completion"
LONGEST = {"heading": 80, "wording": 600, "signatory": 100, "title": 150, "issuer": 150, "logo_alt": 200}
PATHS = ("logo", "template", "fonts")
LOGO_KINDS = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".svg": b"<"}
LARGEST_LOGO = 1_000_000
# The program proves one criterion of several, so no wording may say more than that mentoring is complete.
FORBIDDEN = ("eligib", "qualifies for", "qualified for", "entitle")


class BadWording(ValueError):
    """The certificate file cannot be used. The text has a sentence for each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Logo:
    """The operator's logo. ``alt`` is what a screen reader says."""

    data: bytes
    suffix: str  # .png, .jpg, .svg
    alt: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything empty: nothing is set yet, and the document says that it is no certificate."""

    own_heading: str = ""
    wording: str = ""
    signatory: str = ""
    title: str = ""
    issuer: str = ""
    logo: Logo | None = None
    template: str | None = None  # Typst source in place of the shipped one
    fonts: Path | None = None  # a folder with fonts for further scripts

    @property
    def complete(self) -> bool:
        """Whether this may be called a certificate."""
        return bool(self.wording and self.signatory)

    @property
    def heading(self) -> str:
        """The document's heading: the certificate's, or that of a record of completion if this is no certificate."""
        return (self.own_heading or HEADING) if self.complete else RECORD_HEADING


def read_wording(file: Path | None) -> Wording:
    """Read the file that ``PLC_CERTIFICATE`` names; None: nothing is set.

    Raises:
        BadWording: with a sentence for each field that is wrong.
    """
    if file is None:
        return Wording()
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadWording(f"I can't read {file}: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadWording(f"{file} is not valid TOML: {error}.") from None
    problems = [f"{file}: {problem}" for problem in _problems(document, file.parent)]
    if problems:
        raise BadWording("\n".join(problems))
    texts = {name: " ".join(str(document.get(name, "")).split()) for name in LONGEST}
    folder = file.parent
    return Wording(
        own_heading=texts["heading"],
        wording=texts["wording"],
        signatory=texts["signatory"],
        title=texts["title"],
        issuer=texts["issuer"],
        logo=_logo(folder / document["logo"], texts["logo_alt"]) if "logo" in document else None,
        template=(folder / document["template"]).read_text(encoding="utf-8") if "template" in document else None,
        fonts=folder / document["fonts"] if "fonts" in document else None,
    )


def _problems(document: dict[str, Any], folder: Path) -> list[str]:
    problems = [
        f"{name} is not a setting. Use {', '.join((*LONGEST, *PATHS))}."
        for name in document
        if name not in (*LONGEST, *PATHS)
    ]
    problems += [
        f"{name} must be text in quotes."
        for name in (*LONGEST, *PATHS)
        if name in document and not isinstance(document[name], str)
    ]
    if problems:
        return problems
    for name, most in LONGEST.items():
        text = str(document.get(name, ""))
        if len(text) > most:
            problems.append(f"{name} has {len(text)} characters. Use {most} or fewer.")
        if any(word in text.lower() for word in FORBIDDEN):
            problems.append(
                f"{name} promises more than mentoring. Mentoring is one of several requirements, so "
                "a certificate says only that mentoring is complete."
            )
    for name in ("wording", "signatory"):
        other = {"wording": "signatory", "signatory": "wording"}[name]
        if document.get(name) and not document.get(other):
            problems.append(f"Add {other}. A certificate needs it together with {name}.")
    return problems + _path_problems(document, folder)


def _path_problems(document: dict[str, Any], folder: Path) -> list[str]:
    problems = []
    if "logo" in document:
        problems += _logo_problems(folder / document["logo"])
        if not document.get("logo_alt", "").strip():
            problems.append("Add logo_alt: what the logo shows, for people who can't see it.")
    if "template" in document and not (folder / document["template"]).is_file():
        problems.append(f"template: there is no file {document['template']} beside it.")
    if "fonts" in document and not (folder / document["fonts"]).is_dir():
        problems.append(f"fonts: there is no folder {document['fonts']} beside it.")
    return problems


def _logo_problems(file: Path) -> list[str]:
    start = LOGO_KINDS.get(file.suffix.lower())
    if start is None:
        return ["logo must be a .png, .jpg or .svg file."]
    if not file.is_file():
        return [f"logo: there is no file {file.name} beside it."]
    data = file.read_bytes()
    if len(data) > LARGEST_LOGO:
        return [f"logo: {file.name} is larger than a megabyte."]
    if not data.lstrip().startswith(start):
        return [f"logo: {file.name} is not a {file.suffix[1:]} picture."]
    return []


def _logo(file: Path, alt: str) -> Logo:
    return Logo(file.read_bytes(), file.suffix.lower(), alt)
