"""A deployment window, as the user writes it, and what it becomes in a plan.

`shared/window.py` says what a window means. Here are its forms in a file: ranges of days, hours past
midnight, dates and date-times.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from shared.language.manifest.part import wrong
from shared.language.problem import quoted
from shared.wall_calendar import zone_mistake
from shared.window import (
    WEEK,
    Day,
    Freeze,
    Opening,
    Window,
    calendar_date,
    clock_time,
    closing_time,
    holiday,
    local_minute,
)

HOURS_MAX = 50
HOLIDAYS_MAX = 400
FREEZES_MAX = 100
REASON_CHARACTERS_MAX = 200

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_FREEZE_HINT = 'write a date, or a local date and time: "2026-12-20", "2026-12-20 18:00"'
_DAYS_HINT = f"days are {', '.join(WEEK)}, and ranges like mon-fri"


def _checked(check: Callable[[str], str], hint: str = "") -> AfterValidator:
    """Return a validator that says what a check says."""

    def let_pass(text: str) -> str:
        try:
            return check(text)
        except ValueError as exc:
            raise wrong(str(exc), hint) from exc

    return AfterValidator(let_pass)


def _check_zone(name: str) -> str:
    if mistake := zone_mistake(name):
        raise wrong(mistake, _zone_hint(name))
    return name


@cache
def _zone_names() -> Mapping[str, str]:
    return {name.lower(): name for name in sorted(available_timezones()) if not zone_mistake(name)}


def _zone_hint(name: str) -> str:
    meant = name[:64].strip().replace(" ", "_").lower()
    close = get_close_matches(meant, _zone_names(), n=1)
    return f"did you mean {_zone_names()[close[0]]}?" if close else "zones have the names that IANA gave them"


def _check_days(text: str) -> str:
    first, dash, last = text.partition("-")
    if first not in WEEK or (dash and last not in WEEK):
        raise wrong("must be a day or a range of days", _DAYS_HINT)
    return text


def _check_freeze_end(text: str) -> str:
    """Return a date or a local date-time in the form of the plan: `2026-12-20`, `2026-12-20T18:00`."""
    return local_minute(text.replace(" ", "T", 1)) if len(text) > len("2026-12-20") else calendar_date(text)


def _check_reason(text: str) -> str:
    if not text.isprintable() or not text.strip() or len(text) > REASON_CHARACTERS_MAX:
        raise wrong(f"must be one line of 1 to {REASON_CHARACTERS_MAX} characters")
    return text


def _one_is_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


WindowName = Annotated[str, StringConstraints(pattern=f"^{_NAME.pattern}$")]
Zone = Annotated[str, AfterValidator(_check_zone)]
ClockTime = Annotated[str, _checked(clock_time)]
ClosingTime = Annotated[str, _checked(closing_time)]
Holiday = Annotated[str, _checked(holiday)]
FreezeEnd = Annotated[str, _checked(_check_freeze_end, _FREEZE_HINT)]
Days = Annotated[str, AfterValidator(_check_days)]
Reason = Annotated[str, AfterValidator(_check_reason)]


class _ManifestPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HoursManifest(_ManifestPart):
    """Hours on days of every week."""

    days: Annotated[
        tuple[Days, ...],
        BeforeValidator(_one_is_many, json_schema_input_type=str | list[str]),
        Field(min_length=1, max_length=len(WEEK)),
    ] = Field(
        default=("mon-sun",),
        description="Days on which the hours begin, singly or as ranges; every day unless said",
        examples=["mon-thu", ["mon", "wed", "fri"]],
    )
    opens: ClockTime = Field(
        default="00:00", alias="from", description="When they begin, in quotes", examples=["09:00"]
    )
    closes: ClosingTime = Field(
        default="24:00",
        alias="to",
        description="When they end, in quotes; a time before `from` is one of the next day",
        examples=["16:30", "24:00"],
    )

    @model_validator(mode="after")
    def _lasts(self) -> "HoursManifest":
        if self.opens == self.closes:
            raise wrong("begins and ends at the same time", 'a whole day is from "00:00" to "24:00"')
        return self


class FreezeManifest(_ManifestPart):
    """A time in which nothing begins."""

    begins: FreezeEnd = Field(
        alias="from",
        description="First day, or local date and time",
        examples=["2026-12-20", "2026-12-20 18:00"],
    )
    ends: FreezeEnd | None = Field(
        default=None,
        alias="to",
        description="Last day, or local date and time; frozen until the file is changed unless said",
        examples=["2027-01-04", "2027-01-04 08:00"],
    )
    reason: Reason = Field(default="", description="Shown to whoever waits", examples=["year's end"])

    @model_validator(mode="after")
    def _lasts(self) -> "FreezeManifest":
        ends = _end_of(self.ends)
        if ends is not None and ends <= _beginning_of(self.begins):
            raise wrong("ends before it begins")
        return self


class WindowManifest(_ManifestPart):
    """When runs of a stage may begin; a run that has begun may finish later."""

    zone: Zone = Field(
        description="Time zone of everything below, by IANA's name", examples=["Europe/Berlin", "UTC"]
    )
    hours: tuple[HoursManifest, ...] = Field(
        default=(HoursManifest(),),
        max_length=HOURS_MAX,
        description="When it is open; always unless said",
        examples=[[{"days": "mon-fri", "from": "09:00", "to": "17:00"}]],
    )
    holidays: tuple[Holiday, ...] = Field(
        default=(),
        max_length=HOLIDAYS_MAX,
        description="Days on which it is closed: dates, or every year's days, in quotes",
        examples=[["2026-12-25", "12-24"]],
    )
    freezes: tuple[FreezeManifest, ...] = Field(
        default=(),
        max_length=FREEZES_MAX,
        description="Times in which it is closed",
        examples=[[{"from": "2026-12-20", "to": "2027-01-04", "reason": "year's end"}]],
    )


def _beginning_of(text: str) -> str:
    return text if "T" in text else f"{text}T00:00"


def _end_of(text: str | None) -> str | None:
    """Return the first minute after a freeze: a last day belongs to it."""
    if text is None or "T" in text:
        return text
    return f"{date.fromisoformat(text) + timedelta(days=1)}T00:00"


def _each_day(days: Sequence[str]) -> Iterator[Day]:
    for text in days:
        first, _, last = text.partition("-")
        start = _position(first)
        for step in range((_position(last or first) - start) % len(WEEK) + 1):
            yield WEEK[(start + step) % len(WEEK)]


def _position(day: str) -> int:
    return [*WEEK].index(day)  # type: ignore[arg-type]


def _openings(hours: HoursManifest) -> Iterator[Opening]:
    for day in _each_day(hours.days):
        if hours.opens < hours.closes:
            yield Opening(day=day, opens=hours.opens, closes=hours.closes)
            continue
        yield Opening(day=day, opens=hours.opens)
        if hours.closes != "00:00":
            following = WEEK[(WEEK.index(day) + 1) % len(WEEK)]
            yield Opening(day=following, closes=hours.closes)


def resolve(name: str, window_manifest: WindowManifest) -> Window:
    """Return what a window of the file means, under the name that people are shown."""
    return Window(
        name=name,
        zone=window_manifest.zone,
        openings=tuple(opening for hours in window_manifest.hours for opening in _openings(hours)),
        holidays=window_manifest.holidays,
        freezes=tuple(
            Freeze(begins=_beginning_of(freeze.begins), ends=_end_of(freeze.ends), reason=freeze.reason)
            for freeze in window_manifest.freezes
        ),
    )


def _preset(name: str, opens: str, closes: str) -> Window:
    hours = HoursManifest.model_validate({"days": "mon-fri", "from": opens, "to": closes})
    return Window(name=name, zone="America/Los_Angeles", openings=tuple(_openings(hours)))


PRESETS: Mapping[str, Window | None] = MappingProxyType(
    {
        "NONE": None,  # always open
        "PACIFIC_WORKING_HOURS": _preset("PACIFIC_WORKING_HOURS", "09:00", "17:00"),
        "PACIFIC_WORKING_HOURS_REDUCED": _preset("PACIFIC_WORKING_HOURS_REDUCED", "10:00", "16:00"),
    }
)


def name_mistake(name: str) -> str:
    """Say in one sentence why a window of the file's own cannot be called so; nothing when it can."""
    if name in PRESETS:
        return f"{quoted(name)} is the name of a preset, and a window needs one of its own"
    if not _NAME.fullmatch(name):
        return (
            f"{quoted(name)} cannot name a window: letters, digits, hyphens and underscores can, at most 63"
        )
    return ""
