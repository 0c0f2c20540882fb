//! The Parquet files of one delivery: private, sorted by person, each whole or not there, all of them or none counted.
//!
//! Files are written beside their names, and published when every one of them is whole; the row of the delivery in
//! table `deliveries` comes last. A run that was cut off leaves files that no row of `deliveries` speaks of, and the
//! next one puts its own in their place.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use private_file::PartFile;

use crate::batch::Batch;
use crate::error::Error;
use crate::schema::Column;

/// Rows that engines skip or read at a time.
const ROW_GROUP: usize = 1 << 20;

/// Rows that are gathered before they are encoded.
const BATCH: usize = 1 << 14;

/// One file, once a row is added to it.
pub(crate) struct TableFile {
    path: PathBuf,
    schema: SchemaRef,
    batch: Batch,
    open: Option<(PartFile, ArrowWriter<BufWriter<File>>)>,
}

impl TableFile {
    pub(crate) fn new(path: PathBuf, columns: &[Column]) -> TableFile {
        let schema = crate::schema::arrow_schema(columns);
        TableFile { path, batch: Batch::new(columns, Arc::clone(&schema)), schema, open: None }
    }

    /// Adds what `push` pushes.
    pub(crate) fn add(&mut self, push: impl FnOnce(&mut Batch)) -> Result<(), Error> {
        push(&mut self.batch);
        if self.batch.rows() >= BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Error> {
        let batch = self.batch.finish()?;
        self.opened()?.write(&batch).map_err(Error::parquet)
    }

    fn opened(&mut self) -> Result<&mut ArrowWriter<BufWriter<File>>, Error> {
        let (_, writer) = match &mut self.open {
            Some(open) => open,
            none => none.insert(open_file(&self.path, &self.schema)?),
        };
        Ok(writer)
    }

    /// Writes what is left; none where there was no row at all.
    pub(crate) fn finish(mut self) -> Result<Option<WholeFile>, Error> {
        if self.batch.rows() > 0 {
            self.write()?;
        }
        self.open.map(|(part, writer)| finish_file(&self.path, part, writer)).transpose()
    }

    /// As [`TableFile::finish`]; a file without rows says what the columns are.
    pub(crate) fn finish_even_empty(mut self) -> Result<WholeFile, Error> {
        self.opened()?;
        Ok(self.finish()?.expect("it was opened"))
    }
}

fn open_file(path: &Path, schema: &SchemaRef) -> Result<(PartFile, ArrowWriter<BufWriter<File>>), Error> {
    let failed = |error| Error::File { path: path.to_owned(), error };
    private_file::make_folder(private_file::folder_of(path)).map_err(failed)?;
    let part = PartFile::create(path).map_err(failed)?;
    let file = part.file().try_clone().map_err(failed)?;
    let writer = ArrowWriter::try_new(BufWriter::new(file), Arc::clone(schema), Some(properties(schema)));
    Ok((part, writer.map_err(Error::parquet)?))
}

fn finish_file(path: &Path, part: PartFile, writer: ArrowWriter<BufWriter<File>>) -> Result<WholeFile, Error> {
    let failed = |error| Error::File { path: path.to_owned(), error };
    let buffered = writer.into_inner().map_err(Error::parquet)?;
    let file = buffered.into_inner().map_err(|error| failed(error.into_error()))?;
    let bytes = file.metadata().map_err(failed)?.len();
    Ok(WholeFile { path: path.to_owned(), part, bytes })
}

fn properties(schema: &SchemaRef) -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("a level of zstd");
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("Replika ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_statistics_enabled(EnabledStatistics::Page);
    if schema.field(0).name() == "person" {
        let person = ColumnPath::from("person");
        properties = properties
            .set_sorting_columns(Some(vec![SortingColumn { column_idx: 0, descending: false, nulls_first: false }]))
            .set_column_dictionary_enabled(person.clone(), false)
            .set_column_encoding(person.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_bloom_filter_enabled(person.clone(), true)
            .set_column_bloom_filter_fpp(person, 0.02);
    }
    properties.build()
}

/// A file that is whole, and not published yet.
pub(crate) struct WholeFile {
    path: PathBuf,
    part: PartFile,
    pub(crate) bytes: u64,
}

impl WholeFile {
    /// Makes it durable and gives it its name.
    pub(crate) fn publish(self) -> Result<(), Error> {
        self.part.publish().map_err(|error| Error::File { path: self.path, error })
    }
}

/// Files that are made durable at once: each waits for the disk, and disks take many at a time.
const AT_ONCE: usize = 16;

/// Publishes files, in no order.
pub(crate) fn publish_all(files: Vec<WholeFile>) -> Result<(), Error> {
    let files = Mutex::new(files);
    let next = || files.lock().unwrap_or_else(PoisonError::into_inner).pop();
    thread::scope(|scope| {
        let publish = || std::iter::from_fn(next).try_for_each(WholeFile::publish);
        let all: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(publish)).collect();
        all.into_iter().try_for_each(|one| one.join().expect("a thread that does not panic"))
    })
}
