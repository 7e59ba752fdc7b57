"""What GroupCommit tells its callers when MongoDB fails around the commit: the truth, or that the truth isn't known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from chassis.database.failures import is_unreachable
from chassis.database.mongo import Mongo, connect
from chassis.errors import Unavailable
from chassis.writing import outbox
from chassis.writing.commit import commit_together
from chassis.writing.decision import Decision, Documents, Idempotency, Outcome
from chassis.writing.group_commit import GroupCommit
from tests.conftest import SettingsFactory
from tests.harness.events import COUNTERS, count_up
from tests.harness.waiting import eventually_async
from tests.integration.conftest import FailCommand

UNKNOWN = {"failCommands": ["commitTransaction"], "errorLabels": ["UnknownTransactionCommitResult"], "errorCode": 50}
# The commit takes effect, and then its answer is an error of the write concern, as when a majority didn't confirm it in time.
DONE_BUT_UNSURE = {
    "failCommands": ["commitTransaction"],
    "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"},
}
CONNECTION_LOST = {"failCommands": ["commitTransaction"], "closeConnection": True}


def counting_decisions(inner: Decision) -> tuple[Decision, list[datetime]]:
    """The decision, and a list that grows with every time that its rule runs."""
    runs: list[datetime] = []

    def decide(documents: Documents, now: datetime) -> Outcome:
        runs.append(now)
        return inner.decide(documents, now)

    return Decision(decide, inner.reads, inner.idempotency), runs


@pytest.mark.parametrize(
    "failure", [CONNECTION_LOST, UNKNOWN, DONE_BUT_UNSURE], ids=["connection lost", "unknown", "done but unsure"]
)
async def test_an_unknown_commit_is_committed_again(
    door: GroupCommit, mongo: Mongo, fail_command: FailCommand, failure: dict[str, Any]
) -> None:
    """The answer to the commit is lost three times: it is sent again, the rule doesn't run again, the effect is there once."""
    decision, runs = counting_decisions(count_up("c"))
    await door.submit(count_up("warm", events=0))
    with fail_command(failure, {"times": 3}):
        assert await door.submit(decision) == {"value": 1}
    assert len(runs) == 1
    assert await mongo[COUNTERS].find_one({"_id": "c"}, {"_id": 0, "value": 1, "version": 1}) == {"value": 1, "version": 1}
    assert await mongo[outbox.OUTBOX].count_documents({"events.subject": "c"}) == 1


@pytest.mark.parametrize("failure", [DONE_BUT_UNSURE, UNKNOWN], ids=["it was stored", "it was not"])
async def test_an_unknown_commit_past_its_deadline(
    replicas: Callable[..., Any], mongo: Mongo, fail_command: FailCommand, failure: dict[str, Any]
) -> None:
    """No answer until the deadline: the caller hears 503, and its Idempotency-Key makes the repetition count exactly once."""
    [door] = await replicas(1, deadline_seconds=0.5)
    key = Idempotency("user:siti:1", "hash")
    with fail_command(failure, "alwaysOn"), pytest.raises(Unavailable):
        await door.submit(count_up("c", idempotency=key))

    # A transaction whose commit never arrived is given up by the server after a minute; here an operator hurries it.
    await mongo.client.admin.command("killAllSessions", [])

    async def asked_again() -> Any:
        return await door.submit(count_up("c", idempotency=key))

    assert await eventually_async(asked_again, 20, "the repetition is answered") == {"value": 1}
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 1
    assert await mongo[outbox.OUTBOX].count_documents({}) == 1


async def test_an_unknown_commit_while_the_process_ends(door: GroupCommit, mongo: Mongo, fail_command: FailCommand) -> None:
    """The process is asked to end while a commit has no answer: its caller hears 503 soon, long before the commit's deadline."""
    await door.submit(count_up("warm", events=0))
    with fail_command(UNKNOWN, "alwaysOn"):
        waiting = asyncio.create_task(door.submit(count_up("c")))
        mongo.hurry(0.2)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(waiting, 5)


async def test_a_commit_that_was_aborted_is_decided_again(door: GroupCommit, mongo: Mongo, fail_command: FailCommand) -> None:
    """The server says for certain that the transaction is gone (251): the decision is loaded and decided again."""
    decision, runs = counting_decisions(count_up("c"))
    gone = {"failCommands": ["commitTransaction"], "errorCode": 251, "errorLabels": ["TransientTransactionError"]}
    with fail_command(gone, {"times": 1}):
        assert await door.submit(decision) == {"value": 1}
    assert len(runs) == 2
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 1


async def test_a_transaction_called_off_is_decided_again(door: GroupCommit, mongo: Mongo, fail_command: FailCommand) -> None:
    """The server calls the transaction off amid its writes (24): nothing was written, and the decision is taken again."""
    called_off = {"failCommands": ["insert"], "errorCode": 24, "errorLabels": ["TransientTransactionError"]}
    with fail_command(called_off, {"times": 1}):
        assert await door.submit(count_up("c")) == {"value": 1}
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 1


async def test_the_connection_is_lost_amid_the_writes(door: GroupCommit, mongo: Mongo, fail_command: FailCommand) -> None:
    """The connection breaks before the commit: nothing can have been written, and the caller may try again at once."""
    with fail_command({"failCommands": ["insert"], "closeConnection": True}, {"times": 1}), pytest.raises(Unavailable):
        await door.submit(count_up("c"))
    assert await mongo[COUNTERS].count_documents({}) == 0

    async def again() -> Any:
        return await door.submit(count_up("c"))

    assert await eventually_async(again, 20, "it is counted at last") == {"value": 1}


async def test_mongodb_down_and_up_again(door: GroupCommit, mongo: Mongo, mongodb_down: Callable[[], Any]) -> None:
    """MongoDB is gone: 503 and nothing written. It comes back: the same door works, and counts on from where it was."""
    assert await door.submit(count_up("c")) == {"value": 1}
    async with mongodb_down():
        results = await door.submit_many([count_up("c") for _ in range(3)])
        assert [type(result).__name__ for result in results] == ["Unavailable"] * 3

    async def again() -> Any:
        return await door.submit(count_up("c"))

    assert await eventually_async(again, 20, "the door works again") == {"value": 2}
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 2


async def test_a_long_recount_outlasts_the_sockets_patience(
    mongo: Mongo, settings: SettingsFactory, fail_command: FailCommand
) -> None:
    """A pass over a ledger of millions answers nothing for a while: that is no lost connection, unless it takes too long."""
    hasty = connect(settings(mongo_driver=mongo.driver, mongo_socket_seconds=0.3), "test")
    slow = {"failCommands": ["aggregate"], "blockConnection": True, "blockTimeMS": 1000}
    counting = [{"$group": {"_id": None, "n": {"$sum": 1}}}]
    try:
        await mongo["things"].insert_one({"_id": 1})
        with fail_command(slow, {"times": 1}):
            assert await hasty.aggregate("things", counting, seconds=30) == [{"_id": None, "n": 1}]
        with fail_command(slow, {"times": 1}), pytest.raises(PyMongoError) as late:
            await hasty.aggregate("things", counting, seconds=0.5)
        assert is_unreachable(late.value)
    finally:
        await hasty.close()


async def test_cancelled_while_it_writes(mongo: Mongo, fail_command: FailCommand) -> None:
    """The process gives up waiting while the first of two inserts hangs: afterwards neither is there."""
    slow = {"failCommands": ["insert"], "blockConnection": True, "blockTimeMS": 400}
    with fail_command(slow, {"times": 1}):
        writing = asyncio.create_task(commit_together(mongo, [count_up("c")]))
        await eventually_async(lambda: _hangs(mongo), 5, "the insert hangs")
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    await commit_together(mongo, [count_up("d")])
    assert [doc["_id"] async for doc in mongo[COUNTERS].find()] == ["d"]
    assert await mongo[outbox.OUTBOX].count_documents({}) == 1


async def _hangs(mongo: Mongo) -> bool:
    running = await mongo.client.admin.command({"currentOp": 1, "command.insert": COUNTERS, "active": True})
    return bool(running["inprog"])
