"""Replaces ``DaskGraphRunner.run``: it prunes the model's graph and schedules it by threads and queues two to four times a
turn; the graph never changes, so its order is worked out once and the nodes are called one after the other."""

from typing import Any, Dict, List, Optional, Text, Tuple

from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import GraphNode, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.shared.exceptions import RasaException

Order = List[Tuple[Text, List[Text]]]  # nodes, each after those it needs, with the names of its inputs


def order(schema: GraphSchema) -> Order:
    """The nodes of a pruned graph, each after those it needs."""
    found: Order = []
    done = set()

    def visit(name: Text) -> None:
        if name in done or name not in schema.nodes:  # not a node: one of the inputs
            return
        done.add(name)
        needs = list(schema.nodes[name].needs.values())
        for needed in needs:
            visit(needed)
        found.append((name, needs))

    for name in schema.nodes:
        visit(name)
    return found


def _called(node: GraphNode, given: List[Any]) -> Tuple[Text, Any]:
    """As the node calls itself, without a line for the log, where nothing has to be made or watched first and nothing is missing."""
    if node._hooks or not node._eager or not all(isinstance(one, tuple) for one in given):
        return node(*given)  # type: ignore[no-any-return]
    outputs = dict(given)
    named = {name: outputs[provider] for name, provider in node._inputs.items()}
    try:
        return node._node_name, node._fn(node._component, **named)
    except RasaException:
        raise
    except Exception as error:
        raise GraphComponentException(f"Error running graph component for node {node._node_name}.") from error


def run(
    runner: DaskGraphRunner, inputs: Optional[Dict[Text, Any]] = None, targets: Optional[List[Text]] = None
) -> Dict[Text, Any]:
    """The outputs of the targets. Raises GraphRunError as Rasa's own does."""
    wanted = tuple(targets or runner._graph_schema.target_names)
    orders: Dict[Tuple[Text, ...], Order] = runner.__dict__.setdefault("_orders", {})
    if wanted not in orders:
        orders[wanted] = order(runner._graph_schema.minimal_graph_schema(list(wanted)))
    done: Dict[Text, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
    try:
        for name, needs in orders[wanted]:
            done[name] = _called(runner._instantiated_nodes[name], [done.get(needed, needed) for needed in needs])
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return {name: done[name][1] for name in wanted}


def install() -> None:
    """Runs without dask."""
    DaskGraphRunner.run = run  # type: ignore[method-assign]
