//! A table as Parquet: the typed twin of the CSV file, with the same columns. Strings, doubles and 64-bit integers; all but
//! `run_id` may be missing.

use super::StoreError;
use super::tables::Head;
use super::whole::WholeFile;
use coase_core::record::{Kind, Row, Value};
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::path::PathBuf;
use std::sync::Arc;

/// Rows that are held before they are written.
const GROUP: usize = 100_000;

pub(super) struct ParquetTable {
    path: PathBuf,
    heads: Vec<Head>,
    writer: SerializedFileWriter<WholeFile>,
    ids: Vec<ByteArray>,
    rows: Vec<Row>,
}

impl ParquetTable {
    pub(super) fn new(path: PathBuf, name: &str, heads: &[Head]) -> Result<Self, StoreError> {
        let file = WholeFile::create(&path)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("coase {}", crate::VERSION))
            .build();
        let writer = schema(name, heads)
            .and_then(|schema| SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)))
            .map_err(|source| StoreError::Parquet { path: path.clone(), source })?;
        Ok(Self { path, heads: heads.to_vec(), writer, ids: vec![], rows: vec![] })
    }

    pub(super) fn row(&mut self, run_id: &str, row: &Row) -> Result<(), StoreError> {
        self.ids.push(ByteArray::from(run_id));
        self.rows.push(row.clone());
        if self.rows.len() >= GROUP { self.flush() } else { Ok(()) }
    }

    /// The whole file, which has still to be moved into its place.
    pub(super) fn finish(mut self) -> Result<WholeFile, StoreError> {
        self.flush()?;
        let file = self.writer.into_inner();
        file.map_err(|source| StoreError::Parquet { path: self.path.clone(), source })?.sync()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.write_group().map_err(|source| StoreError::Parquet { path: self.path.clone(), source })?;
        self.ids.clear();
        self.rows.clear();
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        if let Some(mut column) = group.next_column()? {
            column.typed::<ByteArrayType>().write_batch(&self.ids, None, None)?;
            column.close()?;
        }
        for (k, head) in self.heads.iter().enumerate() {
            let Some(mut column) = group.next_column()? else { break };
            let cells = || self.rows.iter().filter_map(|row| row.get(k));
            match head.kind {
                Kind::Text => {
                    let (values, levels) = present(cells(), |value| match value {
                        Value::Missing => None,
                        other => Some(ByteArray::from(super::tables::text(other).as_str())),
                    });
                    column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
                }
                Kind::Number => {
                    let (values, levels) = present(cells(), |value| match value {
                        Value::Number(number) => Some(*number),
                        Value::Integer(number) => Some(*number as f64),
                        Value::Text(_) | Value::Missing => None,
                    });
                    column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
                }
                Kind::Integer => {
                    let (values, levels) = present(cells(), |value| match value {
                        Value::Integer(number) => Some(*number),
                        Value::Number(number) => Some(*number as i64),
                        Value::Text(_) | Value::Missing => None,
                    });
                    column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
                }
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

/// The values that are there, and for every row whether it has one.
fn present<'a, T>(cells: impl Iterator<Item = &'a Value>, get: impl Fn(&Value) -> Option<T>) -> (Vec<T>, Vec<i16>) {
    let mut values = vec![];
    let mut levels = vec![];
    for cell in cells {
        let value = get(cell);
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    (values, levels)
}

fn schema(name: &str, heads: &[Head]) -> Result<Type, ParquetError> {
    let column = |name: &str, kind: Kind, repetition: Repetition| {
        let physical = match kind {
            Kind::Text => PhysicalType::BYTE_ARRAY,
            Kind::Number => PhysicalType::DOUBLE,
            Kind::Integer => PhysicalType::INT64,
        };
        let mut column = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        if kind == Kind::Text {
            column = column.with_logical_type(Some(LogicalType::String)).with_converted_type(ConvertedType::UTF8);
        }
        column.build().map(Arc::new)
    };
    let mut fields = vec![column("run_id", Kind::Text, Repetition::REQUIRED)?];
    for head in heads {
        fields.push(column(&head.name, head.kind, Repetition::OPTIONAL)?);
    }
    Type::group_type_builder(name).with_fields(fields).build()
}
