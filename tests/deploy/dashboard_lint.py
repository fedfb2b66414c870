"""What a dashboard must keep, each rule a function that yields what is wrong.

The rules are those that Grafana's own linter of dashboards has, as far as they are known from its documentation, and
some of this project's.
"""

import promql

UNITS = {
    "Bps", "bytes", "dateTimeFromNow", "locale", "none", "ops", "percentunit", "reqps", "rowsps", "s", "short",
}
PROMETHEUS, SQL = "prometheus", "grafana-postgresql-datasource"
VARIABLES_OF = {PROMETHEUS: "${datasource}", SQL: "${sql_datasource}"}
PANELS_MAX = 20
# Recorded over all instances, and what Prometheus itself writes.
WITHOUT_INSTANCE = ("rxtrail:", "ALERTS")


def variables(board):
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def template_datasource(board):
    variable = variables(board).get("datasource")
    if not variable or variable["type"] != "datasource" or variable["query"] != PROMETHEUS:
        yield "has no variable `datasource` for Prometheus"
    elif variable["label"] != "Data source":
        yield f"calls the variable `datasource` {variable['label']!r}, not 'Data source'"


def template_labels(board):
    for name, label in [("job", "Job"), ("instance", "Instance")]:
        variable = variables(board).get(name)
        if not variable or variable["type"] != "query":
            yield f"has no variable `{name}` that is asked of Prometheus"
            continue
        wanted = {"label": label, "multi": True, "includeAll": True, "allValue": ".+"}
        for key, value in wanted.items():
            if variable.get(key) != value:
                yield f"variable `{name}`: {key} is {variable.get(key)!r}, not {value!r}"


def template_promql(board):
    for variable in board["templating"]["list"]:
        if variable["type"] != "query" or variable["datasource"]["type"] != PROMETHEUS:
            continue
        text = variable["query"]["query"]
        if not text.startswith("label_values(") or not text.endswith(")"):
            yield f"variable `{variable['name']}` is no label_values(…): {text}"
            continue
        try:
            promql.uses(promql.expand(text[len("label_values("):-1].rpartition(",")[0]))
        except ValueError as error:
            yield f"variable `{variable['name']}`: {error}"


def template_reload(board):
    for variable in board["templating"]["list"]:
        if variable["type"] == "query" and variable.get("refresh") != 2:
            yield f"variable `{variable['name']}` is not asked anew when the range of time changes"


def uneditable(board):
    if board.get("editable") is not False:
        yield "may be edited in a browser, where the change is lost"


def head(board):
    for key in ["uid", "title", "description", "refresh", "tags"]:
        if not board.get(key):
            yield f"has no {key}"
    if "rxtrail" not in board.get("tags", []):
        yield "lacks the tag rxtrail, by which the dashboards find one another"
    kinds = {link.get("type") for link in board.get("links", [])}
    if kinds != {"dashboards", "link"}:
        yield "does not link to the other dashboards and to the runbooks"
    if len(board["panels"]) > PANELS_MAX:
        yield f"has {len(board['panels'])} panels, at most {PANELS_MAX}"


def layout(board):
    taken = {}
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) != len(ids):
        yield "has two panels of one id"
    for panel in board["panels"]:
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24:
            yield f"panel {panel['title']!r} goes beyond the right edge"
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            if cell in taken:
                yield f"panel {panel['title']!r} lies on {taken[cell]!r}"
                break
            taken[cell] = panel["title"]


def panel_words(board):
    for panel in board["panels"]:
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel['id']} has no title or no description"


def panel_units(board):
    for panel in board["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        if defaults.get("unit") not in UNITS and not defaults.get("mappings"):
            yield f"panel {panel['title']!r} has the unit {defaults.get('unit')!r}"


def panel_targets(board):
    for panel in board["panels"]:
        if not panel.get("targets"):
            yield f"panel {panel['title']!r} asks nothing"
        for holder in [panel, *panel.get("targets", [])]:
            source = holder.get("datasource", {})
            if source.get("uid") != VARIABLES_OF.get(source.get("type")):
                yield f"panel {panel['title']!r} names a data source of its own: {source}"


def promql_of(board):
    """Every PromQL of a dashboard with its name."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            if "expr" in target:
                yield f"panel {panel['title']!r}", target["expr"]
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']!r}", annotation["expr"]


def target_promql(board):
    for name, expression in promql_of(board):
        try:
            found = promql.uses(promql.expand(expression))
        except ValueError as error:
            yield f"{name}: {error}"
            continue
        for use in found:
            yield from (f"{name}: {fault}" for fault in faults_of(use))


def faults_of(use):
    if use.labels.get("job") not in ("rxtrail", "rxtrail|"):
        yield f"{use.metric} of any job: job=~\"$job\" is missing"
    if not use.metric.startswith(WITHOUT_INSTANCE) and use.labels.get("instance") != ".+":
        yield f"{use.metric} of any instance: instance=~\"$instance\" is missing"
    if use.metric.endswith(("_total", "_bucket")) and not {"rate", "irate", "increase"} & set(use.within):
        yield f"{use.metric} counts, and is shown without rate or increase"


def target_rate_interval(board):
    for name, expression in promql_of(board):
        for start in ("rate(", "irate("):
            for part in expression.split(start)[1:]:
                window = part[part.find("[") + 1:part.find("]")]
                if window != "$__rate_interval":
                    yield f"{name}: {start}…[{window}] is not over $__rate_interval"


RULES = [
    template_datasource, template_labels, template_promql, template_reload, uneditable, head, layout, panel_words,
    panel_units, panel_targets, target_promql, target_rate_interval,
]


def lint(board):
    """Everything that is wrong with a dashboard, one line each."""
    return [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(board)]
