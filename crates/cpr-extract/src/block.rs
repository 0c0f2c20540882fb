//! Lines of an extract that were read together, and what is found out about them beside the reading: whether their
//! fields fit, on one thread, and what whoever looks at every byte wants of them, on another.

use std::sync::mpsc;
use std::thread::Scope;

use crate::checker::Checker;
use crate::family::RecordLayout;
use crate::fault::Fault;
use crate::found::{Found, Other, OtherLine};
use crate::record::{Misfit, Record, Sound, check_line};
use crate::source::{Buffer, chunk_checksum};
use crate::style::LineEnd;

/// The lines of one buffer, those that begin in another one included.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) buffer: Buffer,
    /// Of the chunk in the buffer.
    pub(crate) checksum: Option<u64>,
    /// From 1.
    first_line: u64,
    lines: Vec<Span>,
    /// What is to be known of lines that are no records, in their order.
    others: Vec<Other>,
    /// By position of the line: records that do not fit, and that those that do have an odd character.
    findings: Vec<(usize, Option<Misfit>)>,
}

/// Where a line stands in its buffer; most have this and nothing more.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    length: u16,
    end: LineEnd,
    /// It has the number of the person that the last record before it has which is about one, as far as is known.
    has_same_person: bool,
    /// None of a line that is no record.
    layout: Option<&'static RecordLayout>,
}

/// How far the lines are that were shown to the checker.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shown {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
}

impl Block {
    /// Begins anew with a line of this number.
    pub(crate) fn begin(&mut self, first_line: u64) {
        self.first_line = first_line;
        self.lines.clear();
        self.others.clear();
        self.findings.clear();
    }

    /// Adds a record that starts here in the buffer.
    #[inline]
    pub(crate) fn push_record(&mut self, start: usize, layout: &'static RecordLayout, length: usize, end: LineEnd) {
        // A buffer is not longer than 32 bits say, and a record's line not longer than 16.
        let (start, length) = (start as u32, length as u16);
        self.lines.push(Span { start, length, end, has_same_person: false, layout: Some(layout) });
    }

    /// Adds a line; `start` is the byte of the file that its buffer begins with.
    pub(crate) fn push(&mut self, found: Found, start: u64) {
        match found {
            Found::Record(layout, offset, length, end) => {
                self.push_record((offset - start) as usize, layout, length, end);
            }
            Found::Other(other) => {
                self.others.push(other);
                let (start, length, end) = (0, 0, LineEnd::None);
                self.lines.push(Span { start, length, end, has_same_person: false, layout: None });
            }
        }
    }

    fn bytes_of(&self, span: Span) -> &[u8] {
        let start = span.start as usize;
        &self.buffer.bytes[start..start + usize::from(span.length)]
    }

    /// Shows the lines to the checker, until it wants to know no more.
    pub(crate) fn show(&self, checker: &mut Checker<'_>) -> Shown {
        let mut shown = Shown { lines: self.first_line.saturating_sub(1), bytes: self.buffer.offset };
        let (mut findings, mut others) = (self.findings.iter().peekable(), self.others.iter());
        for (at, span) in self.lines.iter().enumerate() {
            if checker.has_ended() {
                break;
            }
            shown.lines += 1;
            let Some(layout) = span.layout else {
                let other = others.next().expect("each line that is no record has one");
                show_other(other, shown.lines, checker);
                shown.bytes = other.behind;
                continue;
            };
            let (line, bytes, end) = (shown.lines, self.bytes_of(*span), span.end);
            let offset = self.buffer.offset + u64::from(span.start);
            let finding = findings.next_if(|(of, _)| *of == at);
            if let Some((_, Some((field, reason)))) = finding {
                checker.misfit(Fault::at(line, offset, Some(layout.number), *field, *reason), bytes);
            } else {
                let has_odd_character = finding.is_some();
                let record = Record { layout, line, offset, end, bytes, has_odd_character };
                checker.record(&record, span.has_same_person);
            }
            shown.bytes = offset + bytes.len() as u64 + end.bytes().len() as u64;
        }
        shown
    }
}

fn show_other(other: &Other, line: u64, checker: &mut Checker<'_>) {
    match other.what {
        OtherLine::Ignored(number) => checker.ignored(number, (line, other.offset)),
        OtherLine::Misfit(record, reason, (head, bytes)) => {
            checker.misfit(Fault::at(line, other.offset, record, None, reason), &head[..bytes]);
        }
    }
}

/// Looks at blocks: on threads of their own, unless there is but one.
pub(crate) struct Helpers<'scope, 'env, S> {
    scope: &'scope Scope<'scope, 'env>,
    /// What sees every byte, if anybody does, until there is a thread for it.
    see: Option<S>,
    give: Option<mpsc::Sender<Block>>,
    finish: Option<mpsc::Sender<Block>>,
    done: mpsc::Receiver<Block>,
    outstanding: usize,
}

impl<'scope, 'env, S: FnMut(&[u8]) + Send + 'scope> Helpers<'scope, 'env, S> {
    pub(crate) fn new(scope: &'scope Scope<'scope, 'env>, see: Option<S>) -> Helpers<'scope, 'env, S> {
        let (finish, done) = mpsc::channel();
        Helpers { scope, see, give: None, finish: Some(finish), done, outstanding: 0 }
    }

    /// Has a block looked at that is not the last.
    pub(crate) fn give(&mut self, block: Block) {
        if let Some(finish) = self.finish.take() {
            let checked = match self.see.take() {
                Some(see) => start_seeing(self.scope, see, finish),
                None => finish,
            };
            self.give = Some(start_checking(self.scope, checked));
        }
        self.outstanding += 1;
        if let Some(give) = &self.give {
            // Who is not there any more has panicked, and the scope tells it.
            give.send(block).ok();
        }
    }

    /// The next block that was looked at, waited for when more than `most` are given; none when it is not there yet.
    pub(crate) fn take(&mut self, most: usize) -> Option<Block> {
        let block = if self.outstanding > most { self.done.recv().ok() } else { self.done.try_recv().ok() };
        self.outstanding -= usize::from(block.is_some());
        block
    }

    /// Has the last block looked at, and gives those that are left.
    pub(crate) fn finish(mut self, mut last: Block) -> impl Iterator<Item = Block> {
        match self.finish.take() {
            Some(finish) => {
                check_fields(&mut last, &mut None);
                if let Some(mut see) = self.see.take() {
                    see(last.buffer.chunk());
                }
                finish.send(last).ok();
            }
            None => self.give(last),
        }
        // Nothing more comes behind.
        self.give = None;
        self.done.into_iter()
    }
}

/// Has the fields of blocks checked, and passes them on.
fn start_checking<'scope>(scope: &'scope Scope<'scope, '_>, checked: mpsc::Sender<Block>) -> mpsc::Sender<Block> {
    let (give, given) = mpsc::channel::<Block>();
    scope.spawn(move || {
        let mut person = None;
        for mut block in given {
            check_fields(&mut block, &mut person);
            // When reading ends before its time, nobody takes what is sent.
            checked.send(block).ok();
        }
    });
    give
}

/// Has `see` see the chunks of blocks, and passes them on.
fn start_seeing<'scope>(
    scope: &'scope Scope<'scope, '_>,
    mut see: impl FnMut(&[u8]) + Send + 'scope,
    finish: mpsc::Sender<Block>,
) -> mpsc::Sender<Block> {
    let (give, given) = mpsc::channel::<Block>();
    scope.spawn(move || {
        for block in given {
            see(block.buffer.chunk());
            finish.send(block).ok();
        }
    });
    give
}

/// Checks the fields of all records, and takes the checksum of the chunk while it is near. `person` holds the digits of
/// the last person whose number was found sound: the next lines are mostly about the same one.
fn check_fields(block: &mut Block, person: &mut Option<[u8; 10]>) {
    let mut findings = std::mem::take(&mut block.findings);
    let mut lines = std::mem::take(&mut block.lines);
    for (at, span) in lines.iter_mut().enumerate() {
        let Some(layout) = span.layout else { continue };
        match check_line(layout, block.bytes_of(*span), person) {
            Ok(Sound { has_odd_character, has_same_person }) => {
                span.has_same_person = has_same_person;
                if has_odd_character {
                    findings.push((at, None));
                }
            }
            Err(misfit) => findings.push((at, Some(misfit))),
        }
    }
    (block.findings, block.lines) = (findings, lines);
    block.checksum = chunk_checksum(block.buffer.chunk());
}
