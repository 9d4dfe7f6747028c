"""A watch: somebody looks after a service for as long as it is live. Pure.

When to look follows from the watch and the instant alone, so that replicas agree without talking and looks
of many services spread out. What a look changes follows from the watch and the sample.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.verifier.bounds import within
from services.verifier.checks import Check, PortCheck, checks_of, latency_limit
from services.verifier.health import INTERVALS, UNKNOWN, WINDOW, Window, judge, worse
from services.verifier.sample import Look, Sample, sample_of
from shared.events import Health, HealthChanged, HealthCounts, HealthEnded, HealthSampled, ProbeTarget
from shared.ids import Pipeline, Stage, derive

INTERVAL_SECONDS_MIN = 5.0
INTERVAL_SECONDS_MAX = 3600.0
JITTER = 0.1  # of the interval, to both sides
JITTER_STEPS = 1 << 16
FIRST_LOOK_SECONDS = 1.0  # after the run that brought it succeeded
FIRST_LOOKS = 3  # that are made closer together: until then nothing is known
FIRST_INTERVAL_SECONDS = 5.0
LINGERS_SECONDS = 1.0  # a look that takes longer is expected to do so the next time
STRETCH_SECONDS = 300.0  # that are told together
ANSWER_SLACK_SECONDS = 5.0  # what an answer may take beside the patience for it
PROBES_AT_ONCE_MAX = 4  # of one look; many looks are made side by side
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # from which stretches are counted


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was counted since the clock last struck."""

    begins_at: datetime
    worst: Health
    looks: int = 0
    good: int = 0
    slow: int = 0
    bad: int = 0
    silent: int = 0
    answers: int = 0
    latency_seconds_sum: float = 0.0
    latency_seconds_max: float = 0.0

    def counts(self) -> HealthCounts:
        """Return it as it is told."""
        return HealthCounts(
            begins_at=self.begins_at,
            seconds=STRETCH_SECONDS,
            looks=self.looks,
            good=self.good,
            slow=self.slow,
            bad=self.bad,
            silent=self.silent,
            latency_seconds=round(self.latency_seconds_sum / self.answers, 6) if self.answers else None,
            latency_seconds_max=self.latency_seconds_max if self.answers else None,
            worst=self.worst,
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of a service that is live."""

    pipeline: Pipeline
    stage: Stage
    run: UUID  # that brought it
    revision: int
    target: ProbeTarget
    private_addresses: bool
    next_at: datetime
    version: int = 0  # raised by whoever takes a look or writes one
    busy: bool = False  # a run was under way when the look was taken
    health: Health = UNKNOWN
    reason: str = ""
    stayed: int = 0  # samples since the health last changed
    samples: tuple[Sample, ...] = ()
    problem: str = ""  # the last that was seen
    stretch: Stretch | None = None
    absent: tuple[str, ...] = ()  # well-known addresses that it did not have at first: not asked for again
    lingers: bool = False  # the last look took long

    @property
    def service(self) -> str:
        """Return the step that deploys it."""
        return self.target.service

    @property
    def interval_seconds(self) -> float:
        """Return how far apart looks are, within bounds that hold for everybody."""
        asked = within(
            self.target.criteria.health_interval_seconds, INTERVAL_SECONDS_MIN, INTERVAL_SECONDS_MAX
        )
        return min(asked, FIRST_INTERVAL_SECONDS) if len(self.samples) < FIRST_LOOKS else asked

    @property
    def asked(self) -> tuple[Check | PortCheck, ...]:
        """Return what a look asks of the service: no commands, for they may do anything, and never end."""
        asked = (check for check in checks_of(self.target) if isinstance(check, Check | PortCheck))
        return tuple(check for check in asked if check.url not in self.absent)

    @property
    def answer_seconds_max(self) -> float:
        """Return what is waited for one answer: twice what it may take, so that slow is told from silent."""
        return 2 * latency_limit(self.target) + ANSWER_SLACK_SECONDS

    @property
    def look_seconds_max(self) -> float:
        """Return what one look may take: few questions are asked side by side, and all have their time."""
        waves = -(-len(self.asked) // PROBES_AT_ONCE_MAX)
        return self.answer_seconds_max * max(waves, 1)

    @property
    def forgets_after_seconds(self) -> float:
        """Return how old a sample may be until it says nothing; a look that a crash took leaves it so."""
        asked = self.target.criteria.health_interval_seconds
        interval = within(asked, INTERVAL_SECONDS_MIN, INTERVAL_SECONDS_MAX)
        return INTERVALS * interval * (1 + JITTER) + self.look_seconds_max

    def next_look(self, at: datetime) -> datetime:
        """Return when to look after a look at that instant."""
        return at + timedelta(seconds=jittered(self.interval_seconds, self.run, f"{self.service} {at}"))

    def taken_until(self, at: datetime) -> datetime:
        """Return when another may look, if whoever looks now is never heard of again."""
        return at + timedelta(seconds=self.look_seconds_max + self.interval_seconds)


@dataclass(frozen=True, slots=True)
class Told:
    """A watch after a look, and what there is to say of it."""

    watch: Watch
    says: tuple[HealthChanged | HealthSampled, ...] = ()


def begun(watch: Watch, now: datetime) -> Watch:
    """Return the watch of what has just become live."""
    wait = jittered(FIRST_LOOK_SECONDS, watch.run, watch.service)
    return replace(watch, next_at=now + timedelta(seconds=wait))


def jittered(seconds: float, run: UUID, name: str) -> float:
    """Return the seconds, a little more or less: by what they are for, and not by chance."""
    place = derive(run, name).int % (JITTER_STEPS + 1)
    return seconds * (1 + JITTER * (2 * place / JITTER_STEPS - 1))


def after_look(watch: Watch, look: Look, now: datetime, *, busy: bool) -> Told:
    """Return what a look makes of its watch. One that counts for nothing is only followed by the next."""
    sample = sample_of(look, busy=busy)
    lingers = (now - look.at).total_seconds() > LINGERS_SECONDS
    watch = replace(watch, lingers=lingers, version=watch.version + 1)
    told = _after_sample(watch, sample, now) if sample else Told(watch)
    absent = look.absent if sample and not watch.samples else watch.absent
    next_at = max(told.watch.next_look(look.at), now)
    return Told(replace(told.watch, absent=absent, next_at=next_at), told.says)


def _after_sample(watch: Watch, sample: Sample, now: datetime) -> Told:
    window = _window(watch, sample)
    change = judge(watch.health, window, watch.stayed + 1)
    after = replace(
        watch,
        samples=tuple(window.samples),
        problem=window.problem,
        health=change.health if change else watch.health,
        reason=change.reason if change else watch.reason,
        stayed=0 if change else watch.stayed + 1,
    )
    stretch, over = _counted(watch, after, sample)
    after = replace(after, stretch=stretch)
    changed = (changed_from(watch.health, after, now),) if change else ()
    return Told(after, (*over, *changed))


def changed_from(before: Health, watch: Watch, now: datetime) -> HealthChanged:
    """Return the event that it is doing otherwise than before."""
    return HealthChanged(
        pipeline=watch.pipeline,
        stage=watch.stage,
        service=watch.service,
        run=watch.run,
        revision=watch.revision,
        health=watch.health,
        before=before,
        reason=watch.reason,
        since=now,
    )


def sampled(watch: Watch) -> tuple[HealthSampled, ...]:
    """Return the event of the stretch that was counted last; none when nothing was."""
    if watch.stretch is None:
        return ()
    return (
        HealthSampled(
            pipeline=watch.pipeline,
            stage=watch.stage,
            service=watch.service,
            run=watch.run,
            revision=watch.revision,
            counts=watch.stretch.counts(),
        ),
    )


def ended(watch: Watch) -> HealthEnded:
    """Return the event that nobody looks after it any more."""
    return HealthEnded(
        pipeline=watch.pipeline,
        stage=watch.stage,
        service=watch.service,
        run=watch.run,
        revision=watch.revision,
    )


def _window(watch: Watch, sample: Sample) -> Window:
    """Return the samples to judge by: all that are kept, or this one alone after a gap.

    A clock that was set back leaves no gap: the order is that of the looks.
    """
    problem = sample.problem or watch.problem
    since = (sample.at - watch.samples[-1].at).total_seconds() if watch.samples else 0.0
    if since > watch.forgets_after_seconds:
        return Window((sample,), since, sample.problem)
    return Window((*watch.samples, sample)[-WINDOW:], problem=problem)


def _counted(before: Watch, after: Watch, sample: Sample) -> tuple[Stretch, tuple[HealthSampled, ...]]:
    """Return the stretch with the sample in it, and the event of the one before if that is over.

    A stretch that has begun later, by a clock that was set back since, is gone on with.
    """
    elapsed = (sample.at - EPOCH).total_seconds()
    begins_at = EPOCH + timedelta(seconds=elapsed - elapsed % STRETCH_SECONDS)
    stretch, over = before.stretch, tuple[HealthSampled, ...]()
    if stretch is None or stretch.begins_at < begins_at:
        stretch, over = Stretch(begins_at, worst=before.health), sampled(before)
    answered = sample.latency_seconds
    counts = {sample.kind: getattr(stretch, sample.kind) + 1}
    stretch = replace(
        stretch,
        worst=worse(stretch.worst, after.health),
        looks=stretch.looks + 1,
        answers=stretch.answers + (answered is not None),
        latency_seconds_sum=stretch.latency_seconds_sum + (answered or 0.0),
        latency_seconds_max=max(stretch.latency_seconds_max, answered or 0.0),
        **counts,
    )
    return stretch, over
