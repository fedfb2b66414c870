"""PromQL as it stands in rules and dashboards: parsed, with what each metric is used for."""

import re
from dataclasses import dataclass

import promql_parser

# What Grafana puts in place of its variables.
VARIABLES = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$job": "rxtrail",
    "$instance": ".+",
    "$chain": "1",
}


@dataclass
class Use:
    """One place where a metric is named."""

    metric: str
    labels: dict
    within: tuple  # the functions around it, outermost first


def expand(expression, variables=None):
    """The expression with Grafana's variables put in."""
    for name, value in sorted((variables or VARIABLES).items(), key=lambda pair: -len(pair[0])):
        expression = expression.replace(name, value)
    unknown = re.findall(r"\$[_a-zA-Z{]\w*", expression)
    if unknown:
        raise ValueError(f"variables that nobody puts in: {unknown}")
    return expression


def uses(expression):
    """Every metric that an expression names; raises ValueError when it is no PromQL."""
    found, around = [], []

    def enter(node):
        if isinstance(node, promql_parser.Call):
            around.append(node.func.name)
        if isinstance(node, promql_parser.VectorSelector):
            labels = {matcher.name: matcher.value for matcher in node.matchers.matchers}
            found.append(Use(node.name or labels.get("__name__", ""), labels, tuple(around)))
        return True

    def leave(node):
        if isinstance(node, promql_parser.Call):
            around.pop()
        return True

    promql_parser.walk(promql_parser.parse(expression), enter, leave)
    return found


def family(metric):
    """The name under which a histogram's series were registered."""
    return re.sub(r"_(bucket|sum|count)$", "", metric)
