"""Java and Kotlin: Maven and Gradle. Their files are searched, never parsed or run."""

import re
from typing import NamedTuple

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder, relative
from shared.scan.words import in_shell, port_default, quote

PORT = 8080
GRADLE = ("build.gradle", "build.gradle.kts")
FRAMEWORKS = (
    ("quarkus", "io.quarkus"), ("micronaut", "io.micronaut"), ("spring-boot", "org.springframework.boot"),
    ("ktor", "io.ktor"), ("helidon", "io.helidon"), ("vertx", "io.vertx"), ("javalin", "io.javalin"),
    ("dropwizard", "io.dropwizard"), ("spark", "com.sparkjava"),
)  # fmt: skip
PROPERTY = {
    "spring-boot": "server.port",
    "quarkus": "quarkus.http.port",
    "micronaut": "micronaut.server.port",
}
_VERSIONS = re.compile(
    r"<(?:java\.version|maven\.compiler\.(?:release|target)|release)>\s{0,20}([0-9.]{1,10})\s{0,20}<"
    r"|JavaLanguageVersion\.of\((\d{1,2})\)|jvmToolchain\((\d{1,2})\)"
    r"|(?:source|target)Compatibility\s{0,4}=\s{0,4}(?:JavaVersion\.VERSION_)?[\"']?([0-9._]{1,10})"
)
_NOISE = re.compile(
    r"<!--(?:.*?-->|.*)|<(parent|dependencies|dependencyManagement|profiles)>(?:.*?</\1>|.*)", re.DOTALL
)
_TAG = {tag: re.compile(rf"<{tag}>\s{{0,40}}([\w.-]{{1,100}})\s{{0,40}}</{tag}>")
        for tag in ("artifactId", "version", "finalName", "packaging")}  # fmt: skip
_PLUGIN = re.compile(
    r"spring-boot-maven-plugin|quarkus-maven-plugin|maven-shade-plugin|maven-assembly-plugin"
)


class Build(NamedTuple):
    """What a build tool leaves, and how it is told to."""

    tool: str
    line: str
    jar: str  # or another program, as a shell writes it in the folder of the commands


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what the build file says; `home` is the root of a build of several modules."""
    file = folder.has("pom.xml") or folder.has(*GRADLE)
    if not file:
        return None
    text = folder.view.text(file)
    draft = Draft(folder.path, _name(folder, text), file, commands_in=home.path)
    language = "kotlin" if re.search(r"kotlin[-(.\"]", text) else "java"
    draft.learn(file, language=language)
    _learn_version(draft, folder, home, text)
    whole = text + _inherited(folder, home)
    framework = next((each for each in FRAMEWORKS if each[1] in whole), None)
    if framework and not (framework[1] not in text and _is_root_of_modules(text)):
        draft.learn(file, framework[1], framework=framework[0])
    maven = file.endswith("pom.xml")
    build = _maven(folder, home, text, draft.framework) if maven else _gradle(folder, home, text, draft)
    draft.learn(file, package_manager=build.tool, build_commands=(build.line,))
    if maven and "<packaging>pom</packaging>" in text:
        return draft
    _learn_start(draft, folder, text, build)
    return draft


def modules(folder: Folder) -> list[str]:
    """Return the folders of the modules that a build names."""
    found = re.findall(r"<module>\s{0,40}([\w./-]{1,100})\s{0,40}</module>", folder.text("pom.xml"))
    for name in ("settings.gradle", "settings.gradle.kts"):
        for line in folder.text(name).splitlines():
            if re.match(r"\s{0,40}(?:include\b|['\"]:?[\w:-]{1,100}['\"])", line):
                found += [
                    each.lstrip(":").replace(":", "/")
                    for each in re.findall(r"['\"]([\w:-]{1,100})['\"]", line)
                ]
    return found


def _learn_start(draft: Draft, folder: Folder, text: str, build: Build) -> None:
    draft.serves = bool(draft.framework)
    if draft.serves:
        _learn_port(draft, folder)
    if "<packaging>war</packaging>" in text:
        draft.warn("war", f"{draft.file} makes a war file, which a servlet container runs", "make it a jar")
        return
    starts_itself = bool(_PLUGIN.search(text) or "application" in text or draft.framework)
    if not starts_itself or not build.jar or not (draft.serves or "mainClass" in text):
        return
    option = PROPERTY.get(draft.framework, "")
    given = f" -D{option}={port_default(draft.port or PORT)}" if option else ""
    if not build.jar.endswith(".jar"):
        draft.learn(draft.file, assumed=True, start_command=build.jar)
    else:
        line = f"java{given} -jar {build.jar}"
        start = in_shell(f"exec {line}") if given or "*" in line else line
        draft.learn(draft.file, assumed=True, start_command=start)


def _maven(folder: Folder, home: Folder, text: str, framework: str) -> Build:
    tool = "sh mvnw" if home.has("mvnw") else "mvn"
    below = relative(home.path, folder.path)
    module = "" if below == "." else f" --projects {quote(below)} --also-make"
    own = _NOISE.sub("", text)
    values = {tag: found[1] for tag, rule in _TAG.items() if (found := rule.search(own))}
    name = values.get("finalName") or "-".join(
        values.get(tag, "*") for tag in ("artifactId", "version")
    ).replace("*-*", "*")
    jar = "quarkus-app/quarkus-run.jar" if framework == "quarkus" else f"{name}.jar"
    path = f"target/{jar}" if below == "." else f"{quote(f'{below}/target')}/{jar}"
    return Build("maven", f"{tool} --batch-mode -DskipTests{module} package", path)


def _gradle(folder: Folder, home: Folder, text: str, draft: Draft) -> Build:
    tool = "sh gradlew" if home.has("gradlew") else "gradle"
    below = relative(home.path, folder.path)
    task = "" if below == "." else f":{below.replace('/', ':')}:"
    place = "build" if below == "." else quote(f"{below}/build")
    if draft.framework == "spring-boot":
        return Build("gradle", f"{tool} {quote(task + 'bootJar')}", f"{place}/libs/*.jar")
    if draft.framework == "quarkus":
        return Build(
            "gradle", f"{tool} {quote(task + 'build')} -x test", f"{place}/quarkus-app/quarkus-run.jar"
        )
    if re.search(r"\bapplication\b", text):
        name = draft.name or "app"
        return Build("gradle", f"{tool} {quote(task + 'installDist')}", f"{place}/install/{name}/bin/{name}")
    return Build("gradle", f"{tool} {quote(task + 'build')} -x test", "")


def _learn_port(draft: Draft, folder: Folder) -> None:
    for name in ("application.properties", "application.yml", "application.yaml"):
        text = folder.text(f"src/main/resources/{name}")
        found = re.search(
            r"^[ \t]{0,8}(?:(?:server|quarkus\.http)\.)?port\s{0,4}[=:]\s{0,4}([^\n]{1,60})",
            text,
            re.MULTILINE,
        )
        number = re.search(r"\b([1-9][0-9]{1,4})\b", found[1]) if found else None
        if found and number and int(number[1]) <= 65_535:
            file, line = folder.at(f"src/main/resources/{name}"), text.count("\n", 0, found.start()) + 1
            given = "variable" if draft.framework in PROPERTY or "PORT" in found[1] else "fixed"
            draft.learn(
                file,
                f"line {line}",
                port=int(number[1]),
                port_given="variable" if given == "variable" else "fixed",
            )
            return
    given_by_us = draft.framework in PROPERTY
    port = source_port.FoundPort(PORT, "variable" if given_by_us else "unknown", draft.file, "")
    draft.learn(port.file, assumed=True, port=port.number, port_given=port.given)


def _learn_version(draft: Draft, folder: Folder, home: Folder, text: str) -> None:
    for place in (folder, home):
        learn_version(draft, place, "java", ".java-version")
        for name, key in (("system.properties", "java.runtime.version"), (".sdkmanrc", "java")):
            found = re.search(rf"^{re.escape(key)}=([\w.-]{{1,30}})", place.text(name), re.MULTILINE)
            learn_pin(draft, place.at(name), key, found[1] if found else None)
    for file, written in ((draft.file, text), (home.at("pom.xml"), home.text("pom.xml"))):
        found = _VERSIONS.search(written)
        learn_pin(draft, file, "", next(filter(None, found.groups()), None) if found else None)


def _name(folder: Folder, text: str) -> str:
    if folder.has("pom.xml"):
        found = _TAG["artifactId"].search(_NOISE.sub("", text))
    else:
        settings = folder.text("settings.gradle") + folder.text("settings.gradle.kts")
        found = re.search(r"rootProject\.name\s{0,4}=\s{0,4}[\"']([\w.-]{1,100})[\"']", settings)
    return found[1] if found else folder.name


def _inherited(folder: Folder, home: Folder) -> str:
    """Return what a module takes over from its parent: the parent's own parent and its plugins."""
    if folder.path == home.path or not folder.has("pom.xml"):
        return ""
    text = home.text("pom.xml")
    return text if _PLUGIN.search(folder.text("pom.xml")) else ""


def _is_root_of_modules(text: str) -> bool:
    return "<modules>" in text
