"""Ruby: `Gemfile`, `config.ru`."""

import re

from shared.scan import source_port
from shared.scan.draft import Draft
from shared.scan.languages.node import learn_assets
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder
from shared.scan.words import in_shell, port_default

FRAMEWORKS = (("rails", 3000), ("hanami", 2300), ("sinatra", 4567), ("roda", 9292), ("grape", 9292),
              ("rack", 9292))  # fmt: skip
SITES = (("jekyll", "_site", "bundle exec jekyll build"),
         ("middleman", "build", "bundle exec middleman build"),
         ("bridgetown", "output", "bundle exec bridgetown build"),
         ("nanoc", "output", "bundle exec nanoc compile"))  # fmt: skip
_GEM = re.compile(r"""^[ \t]*gem[ \t(]{1,4}["']([\w-]{1,100})["']""", re.MULTILINE)
_RUBY = re.compile(r"""^[ \t]*ruby[ \t(]{1,4}["']([^"'\n]{1,40})["']""", re.MULTILINE)
_PORT = 9292


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what the files say."""
    del home  # every application has a bundle of its own
    file = folder.has("Gemfile") or folder.has("config.ru")
    if not file:
        return None
    draft = Draft(folder.path, file=file, commands_in=folder.path)
    draft.has_manifest = bool(folder.has("Gemfile"))
    draft.learn(file, language="ruby")
    text = folder.text("Gemfile")
    gems = {found[1]: f"line {text.count(chr(10), 0, found.start()) + 1}" for found in _GEM.finditer(text)}
    if folder.has("Gemfile"):
        lines = ("bundle config set --local path vendor/bundle", "bundle install")
        draft.learn(folder.at("Gemfile"), package_manager="bundler", install_commands=lines)
    learn_version(draft, folder, "ruby", ".ruby-version")
    pinned = _RUBY.search(text)
    learn_pin(draft, folder.at("Gemfile"), "ruby", pinned[1] if pinned else None)
    _learn_kind(draft, folder, gems)
    return draft


def _learn_kind(draft: Draft, folder: Folder, gems: dict[str, str]) -> None:
    framework = next(((name, port) for name, port in FRAMEWORKS if name in gems), None)
    site = next((each for each in SITES if each[0] in gems), None)
    if framework is None and folder.has("config.ru"):
        framework = ("rack", _PORT)
        gems = {**gems, "rack": ""}
    if framework:
        draft.serves = True
        draft.learn(
            folder.has("Gemfile") or folder.at("config.ru"), gems[framework[0]], framework=framework[0]
        )
        _learn_start(draft, folder, gems, *framework)
    elif site:
        name, output, build = site
        file = folder.at("Gemfile")
        draft.learn(file, gems[name], framework=name, static_hint=name, build_commands=(build,))
        draft.suppose(file, gems[name], output=folder.at(output))


def _learn_start(draft: Draft, folder: Folder, gems: dict[str, str], name: str, port: int) -> None:
    if name == "rails":
        _learn_rails(draft, folder, gems)
        return
    rack = folder.has("config.ru")
    entry = folder.has("app.rb", "server.rb", "main.rb")
    if rack and "puma" in gems:
        line = f"exec bundle exec puma --port {port_default(port)}"
        draft.learn(rack, start_command=in_shell(line))
    elif rack:
        line = f'exec bundle exec rackup --host "${{HOST:-0.0.0.0}}" --port {port_default(port)}'
        draft.learn(rack, start_command=in_shell(line))
    elif entry and name == "sinatra":
        draft.suppose(entry, start_command=f"bundle exec ruby {entry.rpartition('/')[2]}")
    if draft.start_command:
        draft.suppose(rack or entry, port=port, port_given="variable")


def _learn_rails(draft: Draft, folder: Folder, gems: dict[str, str]) -> None:
    file = folder.has("config/application.rb") or folder.at("Gemfile")
    start = "bundle exec rails server --environment production"
    draft.learn(file, assumed=True, start_command=start)
    found = source_port.in_source(folder.at("config/puma.rb"), folder.source("config/puma.rb"))
    if found:
        draft.learn_port(found, usual=3000)
    draft.suppose(file, port=3000, port_given="variable")
    learn_assets(draft, folder)
    pipeline = next((gem for gem in ("propshaft", "sprockets-rails", "sprockets") if gem in gems), "")
    if pipeline:
        compile_ = "SECRET_KEY_BASE_DUMMY=1 RAILS_ENV=production bundle exec rails assets:precompile"
        draft.learn(folder.at("Gemfile"), gems[pipeline], build_commands=(*draft.build_commands, compile_))
