//! The command line.

mod values;

pub(crate) use values::{Colour, OutputFormat, Shell};

use clap::{Args, Parser, Subcommand};
use model::chain::ChainId;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Follows serialised medicines that live on a blockchain, and says which cannot be what they claim to be.
#[derive(Debug, Parser)]
#[command(
    name = "rxtrail",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = AFTER_HELP,
    after_long_help = after_long_help(),
)]
pub(crate) struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  rxtrail demo                                    see it work: needs nothing
  rxtrail check && rxtrail run                    index the chains of ./rxtrail.toml
  rxtrail sql 'SELECT rule, count(*) FROM alerts GROUP BY rule'
  rxtrail queries recall-reach -p gtin=04012345111118
  rxtrail pedigree 01/04012345111118/21/2017      one pack's story

Results go to standard output, everything else to standard error. --help lists the exit codes.";

fn after_long_help() -> String {
    format!(
        "{AFTER_HELP}\n\nConfiguration: flags over environment over file. RXTRAIL__QUERY__LISTEN=127.0.0.1:9000 is [query] listen.\n\
         NO_COLOR switches colours off.\n\n{}",
        crate::exit::help()
    )
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The configuration file.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        env = "RXTRAIL_CONFIG",
        default_value = "rxtrail.toml"
    )]
    pub(crate) config: PathBuf,
    /// What is logged to standard error: a level, or target=level pairs.
    #[arg(long, global = true, value_name = "FILTER", env = "RXTRAIL_LOG", default_value = "warn")]
    pub(crate) log: String,
    /// How log lines look: text to a terminal and JSON otherwise, unless said.
    #[arg(long, global = true, value_name = "FORMAT", env = "RXTRAIL_LOG_FORMAT", default_value = "auto", value_parser = ["auto", "text", "json"])]
    pub(crate) log_format: String,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Colour,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole of it on a simulated supply chain with planted frauds; needs nothing.
    Demo(Demo),
    /// Indexes the chains of the configuration, flags what is wrong, and answers questions.
    Run(Run),
    /// Reads the chains onto Kafka; `transform`, elsewhere, takes them from there.
    Ingest(Run),
    /// Takes the chains from Kafka, flags what is wrong, and answers questions.
    Transform(Run),
    /// Answers questions from tables in ClickHouse that `transform` writes; several may.
    Query(Query),
    /// Asks the tables: one statement, a file on standard input, or a prompt.
    Sql(Sql),
    /// Asks a named question: the fraud queries that come with it; lists them without a name.
    Queries(Queries),
    /// Tells one item's story, with what was flagged in place.
    Pedigree(Pedigree),
    /// Checks the configuration, and what it needs of nodes and disk.
    Check(Check),
    /// Serves a simulated supply chain as a JSON-RPC node.
    Simulate(Simulate),
    /// Looks after a data folder.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Looks at the topics of Kafka.
    #[command(subcommand)]
    Bus(BusCommand),
    /// Builds the tables anew with the present configuration, and puts them in place of the old.
    Rederive(Rederive),
    /// Builds the tables anew without asking a node: from the logs that are stored, or from Kafka.
    Replay(Replay),
    /// Takes a chain back below its finalised block, after a reorg that should have been impossible.
    Rewind(Rewind),
    /// Shows what is flagged, by which rule, and why.
    Rules(Rules),
    /// Writes completions for a shell to standard output.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Where data is, for commands that work on it.
#[derive(Debug, Args)]
pub(crate) struct DataDir {
    /// The data folder; else that of the configuration.
    #[arg(long, value_name = "DIR", env = "RXTRAIL_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// `demo`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail demo                       until Ctrl-C, with an address to ask
  rxtrail demo --exit --seed 7       to the end of the chain: what was planted, found, missed, false
")]
pub(crate) struct Demo {
    /// Everything random is drawn from it; drawn and printed when left out.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Logs on the simulated chain, at least.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: u64,
    /// End with the chain; exit with 1 if a planted fraud was missed or an alert is false.
    #[arg(long)]
    pub(crate) exit: bool,
    /// Keep the data in this folder; else in a temporary one that is removed at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where questions are answered; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = values::loopback)]
    pub(crate) listen: SocketAddr,
    /// Milliseconds between two blocks of the simulated chain [default: 250, with --exit 2].
    #[arg(long, value_name = "MS")]
    pub(crate) block_interval: Option<u64>,
}

/// `run`, `ingest` and `transform`
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// Where questions are answered; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", env = "RXTRAIL_LISTEN", value_parser = values::loopback)]
    pub(crate) listen: Option<SocketAddr>,
    /// Stand by: begin once nothing was published, or nobody has written the tables, for so many seconds.
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) standby: Option<u64>,
    /// Go on before a message that cannot be read, as its reader says it.
    #[arg(long, value_name = "CHAIN:OFFSET", value_parser = values::place_on_topic)]
    pub(crate) republish_from: Option<(ChainId, i64)>,
}

/// `query`
#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// Where questions are answered; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", env = "RXTRAIL_LISTEN", value_parser = values::loopback)]
    pub(crate) listen: Option<SocketAddr>,
}

/// `bus`
#[derive(Debug, Subcommand)]
pub(crate) enum BusCommand {
    /// Shows what is on a chain's topic; exit 1 when something is not ours or cannot be read.
    Inspect(Inspect),
}

/// `bus inspect`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail bus inspect ethereum
  rxtrail bus inspect ethereum --from 4711 --count 3
")]
pub(crate) struct Inspect {
    /// The chain, as the configuration names it.
    pub(crate) chain: String,
    /// The first message; else the last ones are shown.
    #[arg(long, value_name = "OFFSET")]
    pub(crate) from: Option<i64>,
    /// How many messages.
    #[arg(long, default_value_t = 20)]
    pub(crate) count: usize,
}

/// `sql`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail sql 'SELECT * FROM alerts ORDER BY raised_at DESC LIMIT 10'
  rxtrail sql --format csv --output alerts.csv 'SELECT * FROM alerts'
  rxtrail sql < questions.sql
  rxtrail sql                        a prompt; \\d shows tables, \\q ends it

Where another process holds the data folder, it is asked.
")]
pub(crate) struct Sql {
    /// One statement; else statements from standard input, or a prompt at a terminal.
    pub(crate) query: Option<String>,
    /// How the answer is written.
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: OutputFormat,
    /// Write the answer to this file.
    #[arg(long, short, value_name = "FILE", requires = "query")]
    pub(crate) output: Option<PathBuf>,
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `queries`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail queries                                  which there are
  rxtrail queries recall-reach --describe          who asks it and why, parameters, columns, statement
  rxtrail queries recall-reach -p gtin=04012345111118 -p lot=L1
  rxtrail queries copied-identities -p limit=100000 --format csv --output copied.csv

Where another process holds the data folder, it is asked.
")]
pub(crate) struct Queries {
    /// The query's name; else all are listed.
    pub(crate) name: Option<String>,
    /// A value for a parameter; `limit` is how many rows at most.
    #[arg(long = "param", short, value_name = "NAME=VALUE", requires = "name", value_parser = values::parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Describe the query, and ask nothing.
    #[arg(long, requires = "name", conflicts_with_all = ["parameters", "output", "format"])]
    pub(crate) describe: bool,
    /// How the answer is written; the list is a table or JSON.
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: OutputFormat,
    /// Write the answer to this file.
    #[arg(long, short, value_name = "FILE", requires = "name")]
    pub(crate) output: Option<PathBuf>,
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `pedigree`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail pedigree 01/04012345111118/21/2017
  rxtrail pedigree https://id.gs1.org/00/340123451111111111
  rxtrail pedigree eip155:1/erc721:0x00000000000000000000000000000000000000aa/7 --json
")]
pub(crate) struct Pedigree {
    /// GS1 Digital Link path or URI, or a token in CAIP-19.
    pub(crate) item: String,
    /// Write the story as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `check`
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration and its files only: ask no node.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// `simulate`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail simulate --seed 7 --listen 127.0.0.1:8545 --registry registry --write-config rxtrail.toml
  rxtrail simulate --events 1000000 --history 100 --labels labels.jsonl --omit-log-every 500
")]
pub(crate) struct Simulate {
    /// Everything random is drawn from it; drawn and printed when left out.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Logs on all chains together, at least.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: u64,
    /// Chain ids, one or two.
    #[arg(long = "chain-id", value_name = "ID", default_values_t = [1])]
    pub(crate) chain_ids: Vec<u64>,
    /// Where the nodes listen, one for each chain; port 0 is any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8545")]
    pub(crate) listen: Vec<SocketAddr>,
    /// How much is mined before the first call, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) history: u8,
    /// Milliseconds between two blocks; 0 mines only on `sim_mine`.
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub(crate) block_interval: u64,
    /// A block is final once so many stand on it.
    #[arg(long, value_name = "BLOCKS", default_value_t = 64)]
    pub(crate) finality_depth: u64,
    /// Serve a second node that disagrees from this block up.
    #[arg(long, value_name = "BLOCK")]
    pub(crate) twin_from: Option<u64>,
    /// Write what was planted to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Write the registry's files to this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<PathBuf>,
    /// Write a configuration for `rxtrail run` to this file.
    #[arg(long, value_name = "FILE", requires = "registry")]
    pub(crate) write_config: Option<PathBuf>,
    /// What the nodes do wrong.
    #[command(flatten)]
    pub(crate) faults: Faults,
}

/// What a node does wrong; 0 is never, 1 always.
#[derive(Debug, Args)]
#[command(next_help_heading = "Faults")]
pub(crate) struct Faults {
    /// Milliseconds before each answer.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) latency: u64,
    /// One request in so many is refused with 429.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) too_many_requests_every: u64,
    /// One answer in so many breaks off.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) cut_body_every: u64,
    /// One connection in so many is closed without an answer.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) drop_connection_every: u64,
    /// One log in so many is left out of eth_getLogs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) omit_log_every: u64,
    /// One log in so many is altered in eth_getLogs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) forge_log_every: u64,
    /// Altered logs are altered in receipts too.
    #[arg(long)]
    pub(crate) forge_receipts: bool,
    /// One transaction in so many has another sender.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) alter_sender_every: u64,
    /// One block in so many has an altered header.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) alter_header_every: u64,
    /// eth_getLogs finds nothing below this block, and does not say so.
    #[arg(long, value_name = "BLOCK", default_value_t = 0)]
    pub(crate) pruned_below: u64,
}

/// `store …`
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Reads every record and every byte, and compares hashes.
    Verify(DataDir),
    /// Merges every table into as few files as may be.
    Compact(DataDir),
}

/// `rederive`
#[derive(Debug, Args)]
pub(crate) struct Rederive {
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
    /// Remove the old tables once the new ones are in place; else they stay beside them.
    #[arg(long)]
    pub(crate) discard_old: bool,
}

/// `replay`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rxtrail replay --into anew                              with the present rules, profiles and registry
  rxtrail replay --from bus --into anew --database anew   a new database from the topics, as far as they reach back
")]
pub(crate) struct Replay {
    /// What the tables are built from: the logs of the old ones up to the last final block, or the topics of Kafka.
    #[arg(long, value_enum, default_value = "logs")]
    pub(crate) from: ReplayFrom,
    /// A folder for the new tables, or for what belongs to them, that is not there yet.
    #[arg(long, value_name = "DIR")]
    pub(crate) into: PathBuf,
    /// A database for the new tables, where they are in ClickHouse.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// The data folder of the old tables.
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// What tables are built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReplayFrom {
    /// The logs of the old tables.
    Logs,
    /// The topics of Kafka.
    Bus,
}

/// `rewind`
#[derive(Debug, Args)]
pub(crate) struct Rewind {
    /// Name of the chain in the configuration.
    #[arg(long)]
    pub(crate) chain: String,
    /// The highest block that may stay.
    #[arg(long, value_name = "BLOCK")]
    pub(crate) to: u64,
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataDir,
}

/// `rules`
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// One rule's code, as ST-01; else all.
    pub(crate) code: Option<String>,
    /// Write the catalogue as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests;
