"""Act 2: a push that no artifact depends on, beside one that an artifact does depend on."""

import asyncio

from deploy.demo.scene import Scene

TITLE = "Nothing to build"
ABOUT = (
    "greeter's README changes, which its artifact does not depend on; a page of the brochure changes, too."
)
PRICES = "What it costs\n<p>Eleven pennies a lock, and the tea is still included.</p>\n"


async def play(scene: Scene) -> None:
    """Push both changes and see which of them is built."""
    began = scene.mark()
    readme = scene.greeter.repository.read("README.md") + "\nIt speaks English.\n"
    greeter, brochure = await asyncio.gather(
        scene.push(scene.greeter, "Say which language it speaks", {"README.md": readme}),
        scene.push(scene.brochure, "A penny less", {"pages/prices.html": PRICES}),
    )
    await asyncio.gather(
        scene.through_all(scene.greeter, greeter), scene.through_all(scene.brochure, brochure)
    )
    await _check_built(scene, "greeter", greeter, reused=True)
    await _check_built(scene, "brochure", brochure, reused=False)
    await scene.check_answers(scene.greeter, greeter)
    await scene.check_answers(scene.brochure, brochure)
    await _check_page(scene)
    scene.check_watch(began, greeter={greeter - 1, greeter}, brochure={brochure - 1, brochure})


async def _check_built(scene: Scene, name: str, revision: int, *, reused: bool) -> None:
    before = await scene.api.builds(name, revision - 1)
    now = await scene.api.builds(name, revision)
    same = [build.digest for build in before] == [build.digest for build in now]
    scene.check(
        f"{name}'s artifact is {'that of the revision before, not rebuilt' if reused else 'built anew'}",
        ", ".join(f"{build.shown}, {build.answer}, built by revision {build.built_by}" for build in now),
        met=[build.answer for build in now] == ["reused" if reused else "built"] and same == reused,
    )


async def _check_page(scene: Scene) -> None:
    url = scene.brochure.addresses["production"].url
    page = await scene.http.get(f"{url}/prices.html")
    said = "eleven pennies" if "Eleven pennies" in page.text else page.text[:80]
    scene.check("the new page stands in production", said, met="Eleven pennies" in page.text)
