-- Who may do what in the database of rxtrail. Run it as an administrator, once, with passwords of your own:
--
--   clickhouse-client --param_writer_password=… --param_reader_password=… --queries-file users.sql
--
-- Three roles, each with no more than it needs. `rxtrail transform` is the writer, `rxtrail query` and `rxtrail sql`
-- are readers, people and their tools are analysts.

CREATE DATABASE IF NOT EXISTS rxtrail;

-- The writer makes the tables at its first start, adds rows, and sweeps away rows that count for nobody.
CREATE ROLE IF NOT EXISTS rxtrail_writer;
-- (`DELETE` marks rows by an update of a hidden column, for which servers until the middle of 2026 ask for the right.)
GRANT SELECT, INSERT, CREATE TABLE, CREATE VIEW, ALTER DELETE, ALTER UPDATE ON rxtrail.* TO rxtrail_writer;
GRANT CREATE DATABASE ON rxtrail.* TO rxtrail_writer;

-- A reader reads. It sets what its answers look like and how long they may take, and nothing else.
CREATE SETTINGS PROFILE IF NOT EXISTS rxtrail_reader SETTINGS
    readonly = 2,
    max_execution_time = 3600 MIN 1 MAX 21600,
    max_memory_usage = 8000000000 READONLY,
    max_result_rows = 0 READONLY;
CREATE ROLE IF NOT EXISTS rxtrail_reader SETTINGS PROFILE 'rxtrail_reader';
GRANT SELECT ON rxtrail.* TO rxtrail_reader;

-- People see what counts, through the views, and not the state that a restart begins from.
CREATE SETTINGS PROFILE IF NOT EXISTS rxtrail_analyst SETTINGS
    readonly = 1,
    max_execution_time = 60 READONLY,
    max_memory_usage = 4000000000 READONLY,
    max_bytes_before_external_group_by = 1000000000 READONLY,
    max_bytes_before_external_sort = 1000000000 READONLY;
CREATE ROLE IF NOT EXISTS rxtrail_analyst SETTINGS PROFILE 'rxtrail_analyst';
GRANT SELECT ON rxtrail.* TO rxtrail_analyst;
REVOKE SELECT ON rxtrail.kept_state FROM rxtrail_analyst;

CREATE QUOTA IF NOT EXISTS rxtrail_analyst KEYED BY user_name FOR INTERVAL 1 hour MAX queries = 1000, execution_time = 1800
    TO rxtrail_analyst;

-- `HOST LOCAL` lets them in from this machine only: name the networks of the others beside it, as HOST IP '10.1.0.0/16'.
-- A new database for `rxtrail replay --database` needs the same rights on that name.
CREATE USER IF NOT EXISTS rxtrail_writer IDENTIFIED WITH sha256_password BY {writer_password:String}
    HOST LOCAL DEFAULT ROLE rxtrail_writer;
GRANT rxtrail_writer TO rxtrail_writer;

CREATE USER IF NOT EXISTS rxtrail_reader IDENTIFIED WITH sha256_password BY {reader_password:String}
    HOST LOCAL DEFAULT ROLE rxtrail_reader;
GRANT rxtrail_reader TO rxtrail_reader;
