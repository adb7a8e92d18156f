"""How the outbox and what is read for it are attacked: all of it is Tenantry's own."""

from tests.integration.isolation.plan_kinds import Plan, privileged

PLANS: dict[str, Plan] = {
    "outbox.give_places": privileged(lambda work, target: work.outbox.give_places(100)),
    "outbox.after": privileged(lambda work, target: work.outbox.after(0, 100)),
    "outbox.stretch": privileged(lambda work, target: work.outbox.stretch()),
    "outbox.prune": privileged(lambda work, target: work.outbox.prune("9999-12-31 00:00:00.000", 100)),
    "outbox.waiting_since": privileged(lambda work, target: work.outbox.waiting_since(0)),
    "board_viewers.of": privileged(lambda work, target: work.board_viewers.of([target.board])),
    "queue_facts.items": privileged(lambda work, target: work.queue_facts.items(list(target.items.values()))),
    "queue_facts.batches": privileged(lambda work, target: work.queue_facts.batches(["hidden-batch-hidden"])),
    "queue_facts.everywhere": privileged(lambda work, target: work.queue_facts.everywhere()),
    "queue_facts.queue": privileged(lambda work, target: work.queue_facts.queue("default")),
}
