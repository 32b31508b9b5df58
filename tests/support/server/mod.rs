//! A PostgreSQL server of one's own: made in a temporary directory, on a free port, gone with the test that started it.
//!
//! A shell stands between: it waits for its input to end, which it does however the process that started it dies, then stops
//! the server and removes the directory.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod schema;

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

pub(crate) use self::schema::{Schema, client, run};

/// What to do where no server can be started.
pub(crate) const WHAT_TO_START: &str = "\n\n  There is no PostgreSQL to test with. Either install its server binaries \
    (Debian: apt-get install postgresql),\n  so that `initdb` and `postgres` are in PATH, in `pg_config --bindir` or under \
    /usr/lib/postgresql, and the tests\n  start servers of their own; or start a server and say where, with the right to \
    create schemas and roles:\n\n      CLIENT_REGISTRY_POSTGRES_URL=postgres://user:password@localhost/database\n";

pub(crate) struct Server {
    guard: Child,
    /// The first process of the server, when it has been started. A child of this process, so that it is gone when it was
    /// killed: others wait until a process has asked how it ended.
    running: Mutex<Option<Child>>,
    directory: PathBuf,
    port: u16,
    binaries: PathBuf,
    user: Option<(u32, u32)>,
}

impl Server {
    /// A new one, with nothing in it. It keeps what it acknowledges.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let directory = Self::directory();
        let server = Self::in_directory(directory, free_port());
        let data = server.data();
        let data = data.to_str().unwrap();
        server.must(
            "initdb",
            &["-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"],
        );
        let mut conf =
            fs::OpenOptions::new().append(true).open(server.data().join("postgresql.conf")).unwrap();
        writeln!(
            conf,
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 100\n\
             shared_buffers = 64MB\ndeadlock_timeout = 3s\nlog_min_messages = log\nmax_wal_senders = 4\nwal_keep_size = 64MB",
            server.port
        )
        .unwrap();
        for setting in settings {
            writeln!(conf, "{setting}").unwrap();
        }
        drop(conf);
        server.up();
        server
    }

    /// A replica of this one.
    pub(crate) fn replica(&self) -> Self {
        let replica = Self::in_directory(Self::directory(), free_port());
        let data = replica.data();
        let (data, port) = (data.to_str().unwrap(), self.port.to_string());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres"];
        replica.must("pg_basebackup", &[&["-D", data, "-R", "-c", "fast", "--no-sync"], &from[..]].concat());
        let mut conf =
            fs::OpenOptions::new().append(true).open(replica.data().join("postgresql.conf")).unwrap();
        writeln!(conf, "port = {}", replica.port).unwrap();
        drop(conf);
        replica.up();
        replica
    }

    /// Makes the primary of a replica.
    pub(crate) fn promote(&self) {
        self.must("pg_ctl", &["-D", self.data().to_str().unwrap(), "-w", "promote"]);
    }

    fn directory() -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        std::env::temp_dir().join(format!("client-registry-{}-{count}", std::process::id()))
    }

    fn in_directory(directory: PathBuf, port: u16) -> Self {
        let binaries = binaries().unwrap_or_else(|| panic!("{WHAT_TO_START}"));
        // PostgreSQL refuses to run as root.
        let user =
            is_root().then(|| user("postgres").or_else(|| user("nobody")).expect("a user that is not root"));
        fs::create_dir(&directory).unwrap();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        // The server may be another one by then: its number stands in its directory.
        let script = "cat > /dev/null; kill -QUIT $(head -n 1 \"$0/data/postmaster.pid\") 2> /dev/null; \
                      for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf \"$0\" 2> /dev/null && break; sleep 0.2; done";
        let mut guard = Command::new("sh");
        guard.args(["-c", script]).arg(&directory).process_group(0);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn().unwrap();
        Self { guard, running: Mutex::new(None), directory, port, binaries, user }
    }

    /// Where it is, for a client.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres", "postgres")
    }

    pub(crate) fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Starts it again, and waits until it lets clients in.
    pub(crate) fn up(&self) {
        // What a killed server leaves behind takes a moment to go.
        for _ in 0..100 {
            if self.comes_up() {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        self.is_not_up()
    }

    /// Starts it, and waits until it lets clients in, or until it ends; a minute at most.
    fn comes_up(&self) -> bool {
        self.reap();
        let log = fs::OpenOptions::new().append(true).create(true).open(self.log()).unwrap();
        let mut command = self.program("postgres", &["-D", self.data().to_str().unwrap()]);
        command.process_group(0).stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = command.spawn().unwrap();
        for _ in 0..6000 {
            if self.ready() == Some(server.id()) {
                *self.running.lock().unwrap() = Some(server);
                return true;
            }
            if server.try_wait().unwrap().is_some() {
                return false;
            }
            sleep(Duration::from_millis(10));
        }
        server.kill().unwrap();
        self.is_not_up()
    }

    fn is_not_up(&self) -> ! {
        panic!("the server does not start:\n{}", fs::read_to_string(self.log()).unwrap_or_default())
    }

    /// The first process of the server that lets clients in.
    fn ready(&self) -> Option<u32> {
        let state = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let lines: Vec<_> = state.lines().map(str::trim).collect();
        if *lines.get(7)? == "ready" { lines.first()?.parse().ok() } else { None }
    }

    /// Stops it, in the way of `pg_ctl`: `smart`, `fast` or `immediate`.
    pub(crate) fn stop(&self, mode: &str) {
        self.must("pg_ctl", &["-D", self.data().to_str().unwrap(), "-w", "-s", "-m", mode, "stop"]);
    }

    /// Ends its first process without a word; the others follow.
    pub(crate) fn kill(&self) {
        self.running.lock().unwrap().as_mut().expect("a server that was started").kill().unwrap();
        self.reap();
    }

    fn reap(&self) {
        if let Some(mut ended) = self.running.lock().unwrap().take() {
            ended.wait().unwrap();
        }
    }

    /// Runs one of PostgreSQL's own programs, with the server as where to connect to.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.program(program, arguments).output().unwrap()
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null());
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", "postgres");
        if let Some((uid, gid)) = self.user {
            command.gid(gid).uid(uid);
        }
        command
    }

    pub(crate) fn must(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// A file that the server's user may write.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The server that the tests share: the one that the environment names, or one of their own.
pub(crate) fn shared_url() -> String {
    static SHARED: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
    match std::env::var("CLIENT_REGISTRY_POSTGRES_URL") {
        Ok(url) => url,
        Err(_) => SHARED.get_or_init(Server::start).url(),
    }
}

fn binaries() -> Option<PathBuf> {
    let has_all = |directory: &Path| {
        ["initdb", "postgres", "pg_ctl", "pg_dump", "pg_basebackup", "psql"]
            .iter()
            .all(|name| directory.join(name).exists())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.and_then(|output| String::from_utf8(output.stdout).ok());
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort_by_key(|path| path.iter().find_map(|part| part.to_str()?.parse::<u32>().ok()));
    std::env::split_paths(&path)
        .chain(configured.map(|directory| PathBuf::from(directory.trim())))
        .chain(versions.into_iter().rev())
        .find(|directory| has_all(directory))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

/// The numbers of a user and of its group.
fn user(name: &str) -> Option<(u32, u32)> {
    let all = fs::read_to_string("/etc/passwd").ok()?;
    let line = all.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut numbers = line.split(':').skip(2);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
