"""The figures of `shared/metrics.py`, and the interpreter's own, in Prometheus' text format.

Loaded when somebody asks for them first: the library takes longer to load than most of what we start.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from shared import metrics


class Ours(Collector):
    """Reads the counters where they stand."""

    def collect(self) -> Iterator[Metric]:
        """Yield a family for each."""
        for counter in metrics.COUNTERS:
            yield _filled(CounterMetricFamily(counter.name, counter.meaning, labels=counter.labels), counter)
        for gauge in metrics.GAUGES:
            yield _filled(GaugeMetricFamily(gauge.name, gauge.meaning, labels=gauge.labels), gauge)
        for histogram in metrics.HISTOGRAMS:
            yield _buckets(histogram)

    def describe(self) -> Iterable[Metric]:
        """Spare the registry a collection at registration."""
        return []


def answer() -> Response:
    """Return all figures."""
    return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)


@cache
def _registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(Ours())
    return registry


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, source: metrics.Counter | metrics.Gauge
) -> Metric:
    for labels, value in list(source.values.items()):
        family.add_metric(labels, value)
    return family


def _buckets(histogram: metrics.Histogram) -> Metric:
    family = HistogramMetricFamily(histogram.name, histogram.meaning, labels=histogram.labels)
    bounds = [*map(str, metrics.SECONDS), "+Inf"]
    for labels, counts in list(histogram.counts.items()):
        up_to = list(zip(bounds, accumulate(counts), strict=True))
        family.add_metric(labels, up_to, histogram.sums[labels])
    return family
