"""PHP: `composer.json`, or an `index.php`."""

import re

from shared.scan.draft import Draft
from shared.scan.languages.node import learn_assets
from shared.scan.reading import table
from shared.scan.versions import learn_pin, learn_version
from shared.scan.view import Folder
from shared.scan.words import address_default, in_shell, port_default

PORT = 8000
FRAMEWORKS = (
    ("laravel/framework", "laravel"), ("symfony/framework-bundle", "symfony"), ("slim/slim", "slim"),
    ("cakephp/cakephp", "cakephp"), ("codeigniter4/framework", "codeigniter"), ("yiisoft/yii2", "yii"),
    ("laminas/laminas-mvc", "laminas"), ("drupal/core", "drupal"), ("drupal/core-recommended", "drupal"),
    ("laravel/lumen-framework", "lumen"), ("mezzio/mezzio", "mezzio"),
)  # fmt: skip
_ROOTS = ("public", "web", "webroot", "www", "htdocs")


def detect(folder: Folder, home: Folder) -> Draft | None:
    """Return what the files say."""
    del home  # Composer knows no workspaces
    file = folder.has("composer.json") or folder.has("index.php") or folder.has("public/index.php")
    if not file:
        return None
    draft = Draft(folder.path, file=file, commands_in=folder.path)
    draft.has_manifest = bool(folder.has("composer.json"))
    draft.learn(file, language="php")
    if folder.has("composer.json"):
        data = folder.json("composer.json")
        install = "composer install --no-dev --no-interaction --optimize-autoloader"
        lock = folder.has("composer.lock")
        draft.learn(lock or file, package_manager="composer", install_commands=(install,))
        needed = table(data, "require")
        learn_pin(draft, file, "require.php", needed.get("php"))
        found = next((each for each in FRAMEWORKS if each[0] in needed), None)
        if found:
            draft.learn(file, f"require.{found[0]}", framework=found[1])
    if not draft.framework and folder.has("wp-load.php", "wp-config-sample.php"):
        draft.learn(folder.has("wp-load.php", "wp-config-sample.php"), framework="wordpress")
    learn_version(draft, folder, "php", ".php-version")
    _learn_start(draft, folder)
    return draft


def _learn_start(draft: Draft, folder: Folder) -> None:
    if draft.framework == "laravel" and folder.has("artisan"):
        line = f'exec php artisan serve --host="${{HOST:-0.0.0.0}}" --port={port_default(PORT)}'
        draft.learn(folder.at("artisan"), assumed=True, start_command=in_shell(line))
    else:
        root = next((name for name in _ROOTS if folder.has(f"{name}/index.php")), "")
        index = folder.has(f"{root}/index.php" if root else "index.php")
        if not index:
            draft.serves = bool(draft.framework)
            return
        place = f" -t {root}" if root else ""
        line = f"exec php -S {address_default(PORT)}{place}"
        draft.learn(index, assumed=True, start_command=in_shell(line))
    draft.serves = True
    draft.learn(draft.evidence["start_command"].file, assumed=True, port=PORT, port_given="variable")
    message = f"{draft.file} would be served by PHP's development server"
    draft.warn("development-server", message, "put FrankenPHP, or PHP-FPM behind a web server, in its place")
    if re.fullmatch(r"laravel|symfony", draft.framework):
        learn_assets(draft, folder)
