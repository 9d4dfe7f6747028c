""".NET: project files, alone or named by a solution. They are searched, never parsed."""

import re

from shared.scan.draft import Draft
from shared.scan.reading import word
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder, relative
from shared.scan.words import address_default, in_shell, quote

PORT = 5000
PROJECT = r".{1,100}\.(?:cs|fs|vb)proj"
_SDK = re.compile(r"""\bSdk\s{0,4}=\s{0,4}["']([\w.;/ -]{1,100})["']""")
_TARGET = re.compile(r"<TargetFrameworks?>\s{0,20}([\w.;-]{1,100})\s{0,20}<")
_ASSEMBLY = re.compile(r"<AssemblyName>\s{0,20}([\w.-]{1,100})\s{0,20}<")
_TESTS = re.compile(r"Microsoft\.NET\.Test\.Sdk|<IsTestProject>\s{0,20}true", re.IGNORECASE)
_LANGUAGES = {"cs": "c#", "fs": "f#", "vb": "visual basic"}
OUTPUT = "publish"


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what the project file of the folder says; `home` is the folder of the solution."""
    names = [name for name in folder.matching(PROJECT) if not _TESTS.search(folder.text(name))]
    if not names:
        return None
    name = next((each for each in names if "Sdk.Web" in folder.text(each)), names[0])
    text, stem = folder.text(name), name.rpartition(".")[0]
    draft = Draft(folder.path, stem, folder.at(name), commands_in=home.path)
    draft.learn(draft.file, language="dotnet", package_manager="nuget")
    _learn_version(draft, folder, home, text)
    sdk = _SDK.search(text)
    kind = sdk[1] if sdk else ""
    below = quote(relative(home.path, draft.file))
    publish = f"dotnet publish {below} --configuration Release --output {OUTPUT}/{quote(stem)}"
    draft.learn(draft.file, build_commands=(publish,))
    assembly = _ASSEMBLY.search(text)
    program = f"{OUTPUT}/{stem}/{assembly[1] if assembly else stem}.dll"
    if "Sdk.BlazorWebAssembly" in kind:
        draft.learn(draft.file, f"Sdk {kind}", framework="blazor", static_hint="blazor")
        draft.suppose(draft.file, output=home.at(f"{OUTPUT}/{stem}/wwwroot"))
    elif "Sdk.Web" in kind:
        draft.serves = True
        draft.learn(draft.file, f"Sdk {kind}", framework="asp.net")
        urls = f"ASPNETCORE_URLS=http://{address_default(PORT)}"
        start = in_shell(f"exec env {urls} dotnet {quote(program)}")
        draft.learn(draft.file, f"Sdk {kind}", assumed=True, start_command=start)
        draft.learn(draft.file, f"Sdk {kind}", assumed=True, port=PORT, port_given="variable")
    elif "Sdk.Worker" in kind:
        draft.learn(draft.file, f"Sdk {kind}", framework="worker", start_command=f"dotnet {quote(program)}")
    return draft


def projects(folder: Folder) -> list[str]:
    """Return the folders of the projects that a solution names."""
    found: list[str] = []
    for name in folder.matching(r".{1,100}\.slnx?"):
        paths = re.findall(r"""["']([^"'\n]{1,200})\.(?:cs|fs|vb)proj["']""", folder.text(name))
        found += [path.replace("\\", "/").rpartition("/")[0] or "." for path in paths]
    return found


def _learn_version(draft: Draft, folder: Folder, home: Folder, text: str) -> None:
    for place in (folder, home):
        pinned = word(place.json("global.json", lenient=True), "sdk", "version")
        learn_pin(draft, place.at("global.json"), "sdk.version", pinned or None)
    learn_version(draft, folder, "dotnet")
    target = _TARGET.search(text)
    learn_pin(draft, draft.file, "TargetFramework", target[1].split(";")[0] if target else None)
