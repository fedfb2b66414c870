"""ClickHouse's HTTP interface over the real ClickHouse engine in this process, for tests.

Stands in for a server where none can be installed. The engine is `chdb-core` (requirements.txt);
everything else is the standard library.

    python3 -m venv venv && venv/bin/pip install --no-deps -r requirements.txt
    venv/bin/python front.py --data DIR [--listen 127.0.0.1:0] [--user U --password P] [--config F]

prints `listening on http://127.0.0.1:PORT` once ready. Tables live in DIR and survive a kill; one
process at a time may hold DIR. SIGTERM ends cleanly: running requests get 10 seconds.

Each request has a connection of its own, so settings, `USE` and temporary tables end with it, and
requests run side by side. A body is read to its end before anything runs: cut off, it inserts none.

Unlike a server: no compression, no Keeper; no user switching (--user only guards the door) and
clusters only as the config file F declares them; answers are sent whole, so no error follows a 200;
`query_id` is only echoed, `session_id` ignored; a client that goes away does not stop its query;
inserts are never asynchronous; the database `default` is not Atomic: make your own.
"""

import argparse
import base64
import json
import os
import re
import signal
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import chdb

# URL parameters that are not settings; nor is `param_*`.
RESERVED = set("""query database default_format user password quota_key query_id session_id
    session_timeout session_check close_session compress decompress wait_end_of_query buffer_size
    stacktrace role client_protocol_version""".split())

# What the engine sets for use inside a program and a server does not.
SERVER_SETTINGS = {"implicit_select": "0", "allow_introspection_functions": "0"}

# HTTP status by the name of the error; any other is 500.
STATUS = {name: status for status, names in {
    400: """BAD_ARGUMENTS SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH ILLEGAL_COLUMN DUPLICATE_COLUMN
        THERE_IS_NO_COLUMN VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE CANNOT_COMPILE_REGEXP
        CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE
        CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_INPUT_ASSERTION_FAILED""",
    403: "AUTHENTICATION_FAILED UNKNOWN_USER WRONG_PASSWORD ACCESS_DENIED SET_NON_GRANTED_ROLE",
    404: """UNKNOWN_TABLE UNKNOWN_DATABASE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE
        UNKNOWN_STORAGE UNKNOWN_SETTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_ROLE
        UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_DIRECTION_OF_SORTING""",
    408: "TIMEOUT_EXCEEDED", 411: "HTTP_LENGTH_REQUIRED", 413: "QUERY_IS_TOO_LARGE",
    501: "NOT_IMPLEMENTED", 503: "SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK",
}.items() for name in names.split()}

TOKEN = re.compile(
    rb"(?P<skip>\s+|--[^\n]*|\#[!\s][^\n]*|/\*.*?\*/)|(?P<word>\w+)|(?P<quoted>"
    rb"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`\\]|\\.|``)*`)|(?P<mark>.)", re.DOTALL)


class QueryError(Exception):
    """An error in ClickHouse's words: number, name, text."""

    def __init__(self, text, status=None):
        found = re.search(r"Code: (\d+)\..*", text, re.DOTALL)
        self.text = found.group(0).rstrip() if found else f"Code: 1001. DB::Exception: {text}"
        self.code = int(found.group(1)) if found else 1001
        names = re.findall(r"\(([A-Z][A-Z0-9_]+)\)", self.text)
        self.status = status or STATUS.get(names[-1] if names else "", 500)
        super().__init__(self.text)

    @classmethod
    def of(cls, code, name, text, status=None):
        return cls(f"Code: {code}. DB::Exception: {text}. ({name})", status)


def tokens(text):
    """Words, quoted parts and marks, without comments and spaces."""
    return (token for token in TOKEN.finditer(text) if token.lastgroup != "skip")


def split_insert(text):
    """(head, format, data) of an INSERT … FORMAT with data; None for any other statement."""
    depth, rest = 0, tokens(text)
    for number, token in enumerate(rest):
        word = token.group().upper()
        if number == 0 and word != b"INSERT":
            return None
        depth += (word == b"(") - (word == b")")
        if depth or token.lastgroup != "word":
            continue
        if word in (b"VALUES", b"SELECT", b"WITH"):
            return None
        name = next(rest, None) if word == b"FORMAT" else None
        if name:
            data = re.sub(rb"\A[ \t\f]*\r?\n?", b"", text[name.end():], count=1)
            return text[:token.start()].decode(), name.group().decode(), data
    return None


def forbid_many(text):
    """The engine would run several statements; a server refuses them."""
    ended = False
    for token in tokens(text) if b";" in text else ():
        if ended and token.group() != b";":
            raise QueryError.of(62, "SYNTAX_ERROR", "Multi-statements are not allowed")
        ended = ended or token.group() == b";"


def form_fields(body, boundary):
    """The fields of a multipart/form-data body: how clients send `query` with `param_*`."""
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]
    pairs = (part.partition(b"\r\n\r\n")[::2] for part in parts)
    return {re.search(rb'name="(\w+)"', head)[1].decode(): value.decode() for head, value in pairs}


class Engine:
    """The engine over one folder; one connection per request."""

    def __init__(self, data, config):
        options = f"?config-file={os.path.abspath(config)}&log-level=fatal" if config else ""
        self.address = os.path.abspath(data) + options
        self.keep = chdb.connect(self.address)  # the engine lives as long as one connection does

    def run(self, text, args):
        """(body, rows read, rows written) of one statement; args are the URL parameters."""
        connection = chdb.connect(self.address)
        try:
            self.prepare(connection, args)
            params = {k: v for k, v in args.items() if k.startswith("param_")}
            head, form, data = split_insert(text) or (None, None, None)
            if head:  # columns go by name, blocks and checks are as on a server
                self.set(connection, params)
                with connection.send_insert(head, form) as inserter:
                    inserter.append(data)
                    return b"", 0, inserter.finish().rows_written
            forbid_many(text)
            form = args.get("default_format") or "TabSeparated"
            params = {k[len("param_"):]: v for k, v in params.items()}
            result = connection.query(text.decode(), form, params=params)
            return result.bytes() or b"", result.rows_read(), result.rows_written()
        except (chdb.ChdbError, RuntimeError, UnicodeDecodeError) as error:
            raise QueryError(str(error)) from error
        finally:
            connection.close()

    def prepare(self, connection, args):
        self.set(connection, SERVER_SETTINGS)
        if args.get("database"):
            connection.query("USE `" + args["database"].replace("`", "``") + "`")
        settings = {k: v for k, v in args.items()
                    if k not in RESERVED and not k.startswith("param_")}
        readonly = settings.pop("readonly", None)
        self.set(connection, settings)
        if readonly is not None:  # last: it locks the others
            self.set(connection, {"readonly": readonly})

    def set(self, connection, settings):
        for name in settings:
            if not re.fullmatch(r"\w+", name):
                raise QueryError.of(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'")
        if settings:
            quoted = [(k, v.replace("\\", "\\\\").replace("'", "\\'")) for k, v in settings.items()]
            connection.query("SET " + ", ".join(f"{k} = '{v}'" for k, v in quoted))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one write
    timeout = 300

    def do_POST(self):
        self.server.busy.add(self)
        try:
            self.answer()
        except QueryError as error:
            code = {"Exception-Code": str(error.code)}
            self.reply(error.status, error.text.encode() + b"\n", code)
        except (OSError, ValueError) as error:  # cut off, or not HTTP
            self.close_connection = True
            self.log_error("dropped: %r", error)
        finally:
            self.server.busy.discard(self)

    do_GET = do_POST

    def answer(self):
        url = urlsplit(self.path)
        args = dict(parse_qsl(url.query, keep_blank_values=True))
        self.query_id = args.get("query_id") or str(uuid.uuid4())
        body = self.read_body()
        if url.path == "/ping" or not (body or url.query):
            return self.reply(200, b"Ok.\n")
        if url.path != "/":
            return self.reply(404, b"There is no handle for this path\n")
        if self.headers.get_content_type() == "multipart/form-data":
            boundary = self.headers.get_param("boundary")
            args, body = {**args, **form_fields(body, boundary.encode())}, b""
        self.check_user(args)
        if self.command == "GET" and args.get("readonly", "0") == "0":
            args["readonly"] = "2"
        if "1" in (args.get("compress"), args.get("decompress")) or \
                self.headers.get("Content-Encoding", "identity") != "identity":
            raise QueryError.of(48, "NOT_IMPLEMENTED", "This front does not do compression")
        head = args.get("query", "").encode().rstrip()
        text = head + b"\n" + body if head and body else head or body
        body, read, written = self.server.engine.run(text, args)
        summary = {"read_rows": str(read), "written_rows": str(written)}
        self.reply(200, body, {"Summary": json.dumps(summary)})

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self.read_chunk, b""))
        length = self.headers.get("Content-Length")
        if length is None and self.command == "POST":
            raise QueryError.of(381, "HTTP_LENGTH_REQUIRED", "There is no Content-Length header")
        return self.read_exactly(int(length or 0))

    def read_chunk(self):
        """One chunk of a chunked body; empty at the end, with the trailer read."""
        size = int(self.read_line().split(b";")[0], 16)
        data = self.read_exactly(size)
        while self.read_line().strip():
            if size:
                raise ConnectionError("a chunk is longer than it says")
        return data

    def read_line(self):
        line = self.rfile.readline(65536)
        if not line.endswith(b"\n"):
            raise ConnectionError("the client went away")
        return line

    def read_exactly(self, size):
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError(f"the client went away after {len(data)} of {size} bytes")
        return data

    def check_user(self, args):
        """Against --user; 401 when nobody is named, 403 when user or password are wrong."""
        user, password = args.get("user", ""), args.get("password", "")
        scheme, _, pair = self.headers.get("Authorization", "").partition(" ")
        if "X-ClickHouse-User" in self.headers:
            user = self.headers["X-ClickHouse-User"]
            password = self.headers.get("X-ClickHouse-Key", "")
        elif scheme.lower() == "basic":
            user, _, password = base64.b64decode(pair).decode().partition(":")
        if self.server.login not in (None, (user, password)):
            message = f"{user or 'default'}: Authentication failed"
            raise QueryError.of(516, "AUTHENTICATION_FAILED", message, 403 if user else 401)

    def reply(self, status, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="ClickHouse server HTTP API"')
        for name, value in {"Query-Id": self.query_id, "Timezone": "UTC", **dict(headers)}.items():
            self.send_header("X-ClickHouse-" + name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_request(self, code="-", size="-"):
        pass  # only dropped requests are worth a line


def main():
    parser = argparse.ArgumentParser(description="ClickHouse's HTTP interface over chdb-core")
    parser.add_argument("--data", required=True, help="folder of the tables")
    parser.add_argument("--listen", default="127.0.0.1:0", help="address:port; port 0 takes any")
    parser.add_argument("--config", help="ClickHouse's config.xml: clusters, macros, users_config")
    parser.add_argument("--user", help="the only user let in; without it everybody is")
    parser.add_argument("--password", default="")
    options = parser.parse_args()
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the first thread, which inherits it
    os.makedirs(options.data, exist_ok=True)
    host, _, port = options.listen.rpartition(":")
    ThreadingHTTPServer.request_queue_size = 128
    server = ThreadingHTTPServer((host, int(port)), Handler)
    server.engine, server.busy = Engine(options.data, options.config), set()
    server.login = (options.user, options.password) if options.user else None
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    signal.sigwait(ends)
    server.shutdown()
    deadline = time.monotonic() + 10
    while server.busy and time.monotonic() < deadline:
        time.sleep(0.02)
    if server.busy:
        os._exit(1)  # a query that still runs must not hold the end back
    server.engine.keep.close()


if __name__ == "__main__":
    main()
