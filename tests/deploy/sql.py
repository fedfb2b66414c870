"""SQL of the dashboards, with what Grafana puts in place of its macros and variables."""

import re

import repository

# Columns of views that a binary may not have yet, as the dashboards use them. Where one is missing, the statement is
# planned over an empty stand-in, so that its words are checked all the same.
TEXT, TIME, NUMBER = "VARCHAR", "TIMESTAMP", "BIGINT"
POSITIONED = {"chain": NUMBER, "valid_from": TIME, "valid_to": TIME, "known_from": TIME, "from_block": NUMBER,
              "to_block": NUMBER, "finality": TEXT}
VIEWS = {
    "actors": {"chain": NUMBER, **dict.fromkeys(["address", "gln", "name", "country", "role", "status"], TEXT)},
    "registry_parties": {**dict.fromkeys(["gln", "name", "country", "role", "tz"], TEXT), **POSITIONED},
    "registry_licences": {**dict.fromkeys(["party", "kind", "jurisdiction", "status"], TEXT), **POSITIONED},
    "registry_recalls": {
        **dict.fromkeys(["id", "gtin", "lot", "serial_from", "serial_to", "market", "class"], TEXT),
        "effective_at": TIME, "resolved_at": TIME, **POSITIONED,
    },
}


def expand(statement, values, start, end):
    """The statement as Grafana sends it; raises ValueError for a macro or variable that nobody knows."""
    quoted = {name: ", ".join("'" + value.replace("'", "''") + "'" for value in many) for name, many in values.items()}
    statement = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 BETWEEN '{start}' AND '{end}'", statement)
    statement = statement.replace("$__interval", "1h")
    statement = re.sub(r"\$\{(\w+):sqlstring\}", lambda found: quoted.get(found.group(1), found.group(0)), statement)
    if "$" in statement:
        raise ValueError(f"a macro or variable that nobody knows: {statement}")
    return statement


def with_stand_ins(statement, missing):
    """The statement over empty stand-ins for the views that are missing."""
    named = [name for name in sorted(missing) if re.search(rf"\b{name}\b", statement)]
    if not named:
        return statement, False
    views = [
        f"{name} AS (SELECT " + ", ".join(f'CAST(NULL AS {kind}) AS "{column}"' for column, kind in VIEWS[name].items())
        + " WHERE 1 = 0)"
        for name in named
    ]
    return f"WITH {', '.join(views)} {statement}", True


def statements(board):
    """Every SQL statement of a dashboard with its name."""
    for panel, target in repository.targets(board, "grafana-postgresql-datasource"):
        yield panel["title"], target["rawSql"], target["format"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query" and isinstance(variable["query"], str):
            yield f"variable {variable['name']}", variable["query"], "table"
