//! A table as Parquet: the typed twin of the CSV file, with the same columns. Strings, doubles and 64-bit integers; all but
//! `run_id` may be missing. A row group holds the rows of some whole runs.

use crate::error::StoreError;
use crate::frame::{Cells, Frame, Head, Series};
use crate::whole::WholeFile;
use coase_core::record::Kind;
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};
use std::path::PathBuf;
use std::sync::Arc;

/// Cells that are held before they are written: some megabytes.
const GROUP: usize = 200_000;

pub(crate) struct ParquetTable {
    path: PathBuf,
    heads: Vec<Head>,
    writer: SerializedFileWriter<WholeFile>,
    rows: Frame,
}

impl ParquetTable {
    pub(crate) fn new(path: PathBuf, name: &str, heads: &[Head]) -> Result<Self, StoreError> {
        let file = WholeFile::create(&path)?;
        let heads: Vec<Head> = std::iter::once(Head::run_id()).chain(heads.iter().cloned()).collect();
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Readers skip row groups by what is in them; pages are too small to be worth it.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(format!("coase {}", crate::VERSION));
        // Measured numbers hardly ever repeat: looking for those that do costs more than it saves.
        for head in heads.iter().filter(|head| head.kind == Kind::Number) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(head.name.as_str()), false);
        }
        let writer = schema(name, &heads)
            .and_then(|schema| SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build())))
            .map_err(|source| StoreError::Parquet { path: path.clone(), source })?;
        Ok(Self { path, rows: Frame::new(heads.iter().cloned()), heads, writer })
    }

    /// The rows of a run.
    pub(crate) fn rows(&mut self, run_id: &str, rows: &Frame) -> Result<(), StoreError> {
        self.rows.append(run_id, rows);
        if self.rows.len() * self.heads.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    /// The whole file, which has still to be moved into its place.
    pub(crate) fn finish(mut self) -> Result<WholeFile, StoreError> {
        self.flush()?;
        let file = self.writer.into_inner();
        file.map_err(|source| StoreError::Parquet { path: self.path.clone(), source })?.sync()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::replace(&mut self.rows, Frame::new(self.heads.iter().cloned()));
        self.write_group(&rows).map_err(|source| StoreError::Parquet { path: self.path.clone(), source })
    }

    fn write_group(&mut self, rows: &Frame) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for (k, series) in rows.all().iter().enumerate() {
            write_column(&mut group, series, k > 0)?;
        }
        group.close()?;
        Ok(())
    }
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, WholeFile>,
    series: &Series,
    may_be_missing: bool,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let levels = |there: &dyn Fn(usize) -> bool| -> Option<Vec<i16>> {
        may_be_missing.then(|| (0..series.len()).map(|row| i16::from(there(row))).collect())
    };
    match &series.cells {
        Cells::Text(words) => {
            let known: Vec<ByteArray> = words.words().iter().map(|word| ByteArray::from(word.as_str())).collect();
            let cells = words.places().iter().map(|at| known.get(*at as usize));
            let levels = levels(&|row| words.get(row).is_some());
            let values: Vec<ByteArray> = cells.flatten().cloned().collect();
            column.typed::<ByteArrayType>().write_batch(&values, levels.as_deref(), None)?;
        }
        Cells::Number(numbers) => {
            let levels = levels(&|row| !numbers[row].is_nan());
            let values: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
            column.typed::<DoubleType>().write_batch(&values, levels.as_deref(), None)?;
        }
        Cells::Integer(numbers) => {
            let levels = levels(&|row| numbers[row].is_some());
            let values: Vec<i64> = numbers.iter().copied().flatten().collect();
            column.typed::<Int64Type>().write_batch(&values, levels.as_deref(), None)?;
        }
    }
    column.close()?;
    Ok(())
}

fn schema(name: &str, heads: &[Head]) -> Result<Type, ParquetError> {
    let column = |(k, head): (usize, &Head)| {
        let physical = match head.kind {
            Kind::Text => PhysicalType::BYTE_ARRAY,
            Kind::Number => PhysicalType::DOUBLE,
            Kind::Integer => PhysicalType::INT64,
        };
        let repetition = if k == 0 { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let mut column = Type::primitive_type_builder(&head.name, physical).with_repetition(repetition);
        if head.kind == Kind::Text {
            column = column.with_logical_type(Some(LogicalType::String)).with_converted_type(ConvertedType::UTF8);
        }
        column.build().map(Arc::new)
    };
    let fields = heads.iter().enumerate().map(column).collect::<Result<_, _>>()?;
    Type::group_type_builder(name).with_fields(fields).build()
}
