//! Real brokers of Kafka for a test: nodes in a folder of their own, on free ports of loopback, ended with the test.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "the tests of the bus and the benches take this file in as well"
)]

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a node says once it takes connections.
const STARTED: &str = "Kafka Server started";

/// A start takes seconds; on a machine that is busy with a build, a minute.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// How a guarded broker asks for passwords.
const MECHANISM: &str = "SCRAM-SHA-512";

/// Of the key store of a guarded broker, which lives as long as the test.
const STORE_PASSWORD: &str = "of-this-test";

/// Brokers that run, or were killed.
pub struct Broker {
    dir: TempDir,
    nodes: Vec<Node>,
}

/// One of them.
struct Node {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
    lives: u32,
}

/// The folder of the brokers' jars, which `tests/run` fills.
fn libs() -> PathBuf {
    let within = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = within.ancestors().find(|dir| dir.join("Cargo.lock").exists());
    workspace.expect("a workspace").join("tests/.tools/kafka")
}

/// Has `tests/run` installed a broker?
pub fn is_installed() -> bool {
    libs().is_dir()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Java with a small heap and no time lost on compiling what runs once.
fn java() -> Command {
    let mut java = Command::new("java");
    java.args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]).arg(libs().join("*"));
    java
}

impl Broker {
    /// Starts one broker with empty logs. `settings` are added to its properties.
    pub fn start(settings: &str) -> Self {
        Self::start_many(1, settings)
    }

    /// Starts a cluster of so many nodes, each a broker and a controller.
    pub fn start_many(count: usize, settings: &str) -> Self {
        assert!(is_installed(), "{} is missing: tests/run installs it", libs().display());
        let dir = tempfile::tempdir().expect("a folder");
        let ports: Vec<(u16, u16)> = (0..count).map(|_| (free_port(), free_port())).collect();
        let voters =
            ports.iter().zip(1..).map(|((_, controller), id)| format!("{id}@127.0.0.1:{controller}"));
        let voters = voters.collect::<Vec<_>>().join(",");
        let mut nodes = Vec::with_capacity(count);
        for ((port, controller), id) in ports.into_iter().zip(1..) {
            let node = Node { dir: dir.path().join(format!("node-{id}")), port, child: None, lives: 0 };
            node.format(&properties(id, (port, controller), &voters, &node.dir, settings), &[]);
            nodes.push(node);
        }
        nodes.iter_mut().for_each(Node::spawn);
        nodes.iter_mut().for_each(Node::await_start);
        Self { dir, nodes }
    }

    /// Starts one broker that speaks TLS only, and only with whoever knows the password of `user`.
    pub fn start_guarded(user: &str, password: &str) -> Self {
        assert!(is_installed(), "{} is missing: tests/run installs it", libs().display());
        let dir = tempfile::tempdir().expect("a folder");
        let (port, inside, controller) = (free_port(), free_port(), free_port());
        let mut node = Node { dir: dir.path().join("node-1"), port, child: None, lives: 0 };
        node.certify();
        let settings = format!(
            "listeners=SASL_SSL://127.0.0.1:{port},INSIDE://127.0.0.1:{inside},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=SASL_SSL://127.0.0.1:{port},INSIDE://127.0.0.1:{inside}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,SASL_SSL:SASL_SSL\n\
             inter.broker.listener.name=INSIDE\nsasl.enabled.mechanisms={MECHANISM}\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             ssl.keystore.type=PKCS12\nssl.keystore.location={}\nssl.keystore.password={STORE_PASSWORD}\n",
            node.keys().display()
        );
        let voters = format!("1@127.0.0.1:{controller}");
        let known = format!("{MECHANISM}=[name={user},password={password}]");
        let properties = properties(1, (port, controller), &voters, &node.dir, &settings);
        node.format(&properties, &["--add-scram", &known]);
        node.spawn();
        node.await_start();
        Self { dir, nodes: vec![node] }
    }

    /// The certificate of a guarded broker.
    pub fn certificate(&self) -> PathBuf {
        self.nodes[0].certificate()
    }

    /// Where they are reached.
    pub fn address(&self) -> String {
        let addresses = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port));
        addresses.collect::<Vec<_>>().join(",")
    }

    /// Ends a node at once, as `kill -9` does.
    pub fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
    }

    /// Starts a node again with what its logs hold.
    pub fn restart(&mut self, node: usize) {
        self.kill(node);
        self.nodes[node].spawn();
        self.nodes[node].await_start();
    }
}

fn properties(id: u32, (port, controller): (u16, u16), voters: &str, dir: &Path, settings: &str) -> String {
    format!(
        "process.roles=broker,controller\nnode.id={id}\n\
         controller.quorum.voters={voters}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         inter.broker.listener.name=PLAINTEXT\ncontroller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={}\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\nauto.create.topics.enable=false\n{settings}\n",
        dir.join("logs").display()
    )
}

impl Node {
    fn properties(&self) -> PathBuf {
        self.dir.join("server.properties")
    }

    fn log(&self) -> PathBuf {
        self.dir.join(format!("broker-{}.log", self.lives))
    }

    fn keys(&self) -> PathBuf {
        self.dir.join("keys.p12")
    }

    fn certificate(&self) -> PathBuf {
        self.dir.join("certificate.pem")
    }

    /// Makes a key with a certificate of its own for the address of loopback.
    fn certify(&self) {
        fs::create_dir_all(&self.dir).expect("a folder");
        let keytool = |arguments: &[&str]| {
            let mut keytool = Command::new("keytool");
            keytool.args(arguments).args(["-alias", "broker", "-storetype", "PKCS12"]);
            keytool.args(["-storepass", STORE_PASSWORD, "-keystore"]).arg(self.keys());
            let made = keytool.output().expect("keytool comes with Java");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        };
        let name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-validity", "2"];
        keytool(&[&["-genkeypair", "-keyalg", "EC"][..], &name].concat());
        let file = self.certificate();
        keytool(&["-exportcert", "-rfc", "-file", file.to_str().expect("a path of text")]);
    }

    fn format(&self, properties: &str, arguments: &[&str]) {
        fs::create_dir_all(&self.dir).expect("a folder");
        fs::write(self.properties(), properties).expect("the properties");
        let mut format = java();
        format.args(["kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c"]);
        let formatted = format.arg(self.properties()).args(arguments).output().expect("java starts");
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
    }

    fn spawn(&mut self) {
        self.lives += 1;
        let output =
            || Stdio::from(File::options().create(true).append(true).open(self.log()).expect("a log"));
        let mut broker = java();
        broker.arg("kafka.Kafka").arg(self.properties());
        self.child = Some(broker.stdout(output()).stderr(output()).spawn().expect("java starts"));
    }

    fn await_start(&mut self) {
        let began = Instant::now();
        while !fs::read_to_string(self.log()).is_ok_and(|log| log.contains(STARTED)) {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            let waits = ended.is_none() && began.elapsed() < STARTS_WITHIN;
            assert!(waits, "no start ({ended:?}):\n{}", fs::read_to_string(self.log()).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is ours");
            child.wait().expect("it is ours");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
