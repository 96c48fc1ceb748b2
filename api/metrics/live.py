"""What this process knows without asking the database: its queues, its broker, its CPU."""

import shutil
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.process import Process
from api.syslog.sender import Syslog
from esl.domain.stages import Stage


class LiveState:
    """A collector of prometheus-client's over a running process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def collect(self) -> Iterator[Metric]:
        """Read what is in memory."""
        queues = GaugeMetricFamily("esl_queue", "What waits in memory.", labels=("queue",))
        queues.add_metric(["writer"], self._process.writer.waiting())
        delivery = self._process.delivery
        if delivery is not None:
            queues.add_metric(["reports"], delivery.mqtt.messages.qsize())
            connected = GaugeMetricFamily("esl_broker_connected", "1 while the broker has us.")
            connected.add_metric([], int(delivery.mqtt.connected.is_set()))
            yield connected
            again = CounterMetricFamily(
                "esl_broker_reconnects", "Connections to the broker after the first."
            )
            again.add_metric([], max(0, delivery.mqtt.connections - 1))
            yield again
            off = GaugeMetricFamily(
                "esl_gateway_clock_off_seconds",
                "By how much the clock that is farthest from ours is off, of gateways on the line.",
            )
            online = delivery.roster.online()
            ahead_ms = (abs(delivery.roster.session_of(one)[1]) for one in online)
            off.add_metric([], max(ahead_ms, default=0) / 1000)
            yield off
        yield queues
        yield from _of_syslog(self._process.syslog)
        yield from self._stages()
        disk = GaugeMetricFamily("esl_disk_free_bytes", "Free on the data folder's disk.")
        disk.add_metric([], shutil.disk_usage(self._process.settings.data_dir).free)
        yield disk

    def _stages(self) -> Iterator[Metric]:
        totals = self._process.stages.totals()
        cpu = CounterMetricFamily(
            "esl_stage_cpu_seconds", "CPU by stage of a label's way.", labels=("stage",)
        )
        done = CounterMetricFamily(
            "esl_stage_items",
            "Labels that went through a stage; of intake and commit, requests.",
            labels=("stage",),
        )
        for stage, found in totals.items():
            cpu.add_metric([stage], found["cpu_s"])
            done.add_metric([stage], found["labels"])
        yield cpu
        yield done
        drawn = CounterMetricFamily("esl_render_seconds", "CPU that drawing took.")
        drawn.add_metric([], totals[Stage.RENDER.value]["cpu_s"])
        yield drawn
        sent = CounterMetricFamily("esl_pictures_sent", "Pictures handed to the broker.")
        sent.add_metric([], totals[Stage.PUBLISH.value]["labels"])
        yield sent


def _of_syslog(syslog: Syslog | None) -> Iterator[Metric]:
    dropped = CounterMetricFamily(
        "esl_syslog_dropped", "Log lines that the syslog server did not get."
    )
    dropped.add_metric([], syslog.dropped if syslog is not None else 0)
    yield dropped
    if syslog is not None:
        reached = GaugeMetricFamily("esl_syslog_connected", "1 while the syslog server is reached.")
        reached.add_metric([], int(syslog.reached))
        yield reached
