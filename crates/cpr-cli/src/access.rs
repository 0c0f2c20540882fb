//! The command's own account of who looked: what a command prints of persons is in the access log before it is printed.
//!
//! Output is held back, and released in pieces of a megabyte, and whole at the end of the run: first the line in the
//! log, then the output. Whom it shows is read off the output itself, so that no command can forget one.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use cpr_replika::cpr_model::Pnr;
use cpr_services::Caller;
use cpr_services::access_log::{
    AccessLog, Asker, Durability, Entry, FileLog, LogKey, LogOptions, Mode, OnFailure, OpenError, Question,
};

use crate::failure::Failure;

/// So much output is held back until its persons are in the log.
const PIECE_BYTES: usize = 1 << 20;
/// So many persons of a piece are named in the log; all are counted.
const MOST_PERSONS: usize = 1000;

/// Where the command tells whom it has shown.
#[derive(Args, Clone, Debug)]
pub(crate) struct LogOfAccess {
    /// The folder of the access log (docs/access-log.md): every question about persons is in it before its answer is
    /// printed.
    #[arg(long, global = true, value_name = "DIR", env = "REPLIKA_LOG", hide_env_values = true)]
    log: Option<PathBuf>,

    /// The file with the key of the access log (`replika key new`), outside its folder.
    #[arg(long, global = true, value_name = "PATH", env = "REPLIKA_LOG_KEY", hide_env_values = true)]
    log_key: Option<PathBuf>,

    /// What a question about persons is asked for; the access log has it.
    #[arg(long, global = true, value_name = "TEXT", env = "REPLIKA_PURPOSE", hide_env_values = true)]
    purpose: Option<String>,
}

impl LogOfAccess {
    /// The folder that was named, and its key.
    pub(crate) fn folder_and_key(&self) -> Result<(PathBuf, LogKey), Failure> {
        let folder = self.log.clone().ok_or(Failure::Usage("which access log? give --log DIR, or set REPLIKA_LOG"))?;
        let key = self.log_key.as_ref();
        let key = key.ok_or(Failure::Usage("the access log has a key: give --log-key PATH, or set REPLIKA_LOG_KEY"))?;
        let key = LogKey::read(key, &folder)?;
        Ok((folder, key))
    }

    /// The log, opened to write.
    pub(crate) fn open(&self) -> Result<FileLog, Failure> {
        let (folder, key) = self.folder_and_key()?;
        Ok(open(&folder, &key)?)
    }

    /// Asks what tells the log itself: the answer of a service.
    pub(crate) fn told_by<T>(&self, ask: impl FnOnce(Caller<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let Some(account) = self.account("answer")? else { return ask(Caller::unlogged()) };
        let log = open(&account.folder, &account.key)?;
        ask(Caller::new(&log, &account.asker))
    }

    /// The account of one run; none where no log is named.
    pub(crate) fn account(&self, operation: &'static str) -> Result<Option<Account>, Failure> {
        if self.log.is_none() {
            return Ok(None);
        }
        let purpose = self.purpose.clone().filter(|purpose| !purpose.trim().is_empty());
        let purpose = purpose.ok_or(Failure::Usage("what for? give --purpose TEXT, or set REPLIKA_PURPOSE"))?;
        let user = ["LOGNAME", "USER"].iter().find_map(std::env::var_os);
        let user = user.map_or(String::new(), |user| format!(" of {}", user.to_string_lossy()));
        let asker = Arc::new(Asker { system: format!("replika{user}"), agreement: String::new(), purpose });
        let question = Question::about("replika", operation);
        let (folder, key) = self.folder_and_key()?;
        // Better told before the question is asked than when its answer is ready.
        open(&folder, &key)?;
        let (shown, since) = (BTreeSet::new(), Instant::now());
        Ok(Some(Account { folder, key, asker, question, shown, since, lines: 0 }))
    }
}

/// Opens a log to write; waits some seconds for another command that writes it.
fn open(folder: &Path, key: &LogKey) -> Result<FileLog, OpenError> {
    const MODE: Mode = Mode::Before(Durability::Synced);
    let options = LogOptions { mode: MODE, on_failure: OnFailure::Refuse, most_persons: MOST_PERSONS };
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match FileLog::open(folder, key.clone(), &options) {
            Err(OpenError::Locked) if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
            opened => return opened,
        }
    }
}

/// What is told of the run of one command.
pub(crate) struct Account {
    folder: PathBuf,
    key: LogKey,
    asker: Arc<Asker>,
    question: Question,
    shown: BTreeSet<Pnr>,
    since: Instant,
    /// How many lines the log has of it.
    lines: u64,
}

impl Account {
    /// Whom the question is about, as of which delivery, and whether a protection of theirs is on record.
    pub(crate) fn asks(&mut self, about: Option<Pnr>, delivery: u32, protected: Option<bool>) {
        self.question.asked = about.into_iter().collect();
        (self.question.delivery, self.question.protected) = (delivery, protected);
    }

    /// Someone stands in the output in a form that is not ten digits by themselves.
    pub(crate) fn shows(&mut self, persons: impl IntoIterator<Item = Pnr>) {
        self.shown.extend(persons);
    }

    /// Persons were erased, and this is the digest of the receipt.
    pub(crate) fn erased(&mut self, receipt: [u8; 32]) {
        self.question.receipt = Some(receipt);
    }

    fn collect(&mut self, output: &[u8]) {
        let runs = output.split(|byte| !byte.is_ascii_digit());
        self.shown.extend(runs.filter_map(Pnr::parse));
    }

    /// Writes a line of what was shown since the last one.
    fn record(&mut self, found: bool) -> io::Result<()> {
        let mut shown = std::mem::take(&mut self.shown);
        self.question.asked.iter().for_each(|pnr| _ = shown.remove(pnr));
        let shown_count = shown.len() as u64;
        let shown = shown.into_iter().take(MOST_PERSONS).collect();
        let question = Question { shown, shown_count, found, ..self.question.clone() };
        let entry = Entry { asker: self.asker.clone(), question, elapsed: self.since.elapsed() };
        // Not held open: whoever reads a long answer page by page keeps nobody else from asking.
        let log = open(&self.folder, &self.key).map_err(io::Error::other)?;
        log.record(entry).map_err(io::Error::other)?;
        self.lines += 1;
        Ok(())
    }
}

/// Output that leaves when the log has it.
pub(crate) struct Held<W: Write> {
    to: W,
    account: Option<Account>,
    held: Vec<u8>,
}

impl<W: Write> Held<W> {
    pub(crate) fn new(to: W) -> Held<W> {
        Held { to, account: None, held: Vec::new() }
    }

    /// From here on all output is accounted for.
    pub(crate) fn account_for(&mut self, account: Option<Account>) {
        self.account = account;
    }

    pub(crate) fn account(&mut self) -> Option<&mut Account> {
        self.account.as_mut()
    }

    /// The answer is complete, or there was none: what is held back leaves, and a question that showed nobody is told
    /// too.
    pub(crate) fn finish(&mut self, found: bool) -> io::Result<()> {
        self.release(self.held.len(), found)?;
        if let Some(account) = &mut self.account
            && account.lines == 0
        {
            account.record(found)?;
        }
        self.to.flush()
    }

    /// Lets go of the first `length` bytes.
    fn release(&mut self, length: usize, found: bool) -> io::Result<()> {
        if let Some(account) = &mut self.account
            && length > 0
        {
            account.collect(&self.held[..length]);
            account.record(found)?;
        }
        self.to.write_all(&self.held[..length])?;
        self.held.drain(..length);
        Ok(())
    }
}

impl<W: Write> Write for Held<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.account.is_none() {
            return self.to.write(bytes);
        }
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE_BYTES {
            // A number is not torn apart.
            let digits = self.held.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            self.release(self.held.len() - digits, true)?;
        }
        Ok(bytes.len())
    }

    /// What is held back leaves at the end, or when there is enough of it.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
