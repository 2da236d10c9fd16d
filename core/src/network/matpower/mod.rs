//! Reads the case files of MATPOWER (format version 2).
//!
//! The files are MATLAB programs. Tables with arithmetic in their cells are read as such; of the statements that follow
//! them, the conversions that distribution cases end with (ohms to per unit, kW to MW, kVA to MW and Mvar) are applied
//! in their order, and any other is refused with its line: to skip it could change the numbers.

mod cell;
mod convert;
mod field;
mod statement;

use super::matpower_error::{At, MatpowerError};
use cell::{Row, number, shown};
use field::{Unknown, any_table, is_remark, pass};
use statement::{CONTINUED, Statement, statements};

use std::collections::BTreeMap;

use super::error::ReadError;
use super::model::Network;

impl Network {
    /// Reads a network from the text of a MATPOWER case file, as MATLAB or Octave has it.
    ///
    /// Results and remarks (`success`, `bus_name`, a table with a row for every bus) are read past; what constrains the
    /// problem and has no place in the model (`reserves`, a direct-current line in service) is refused by name.
    /// Costs, which the file has per hour with P in MW, come out per hour with P in kW. Bus type 4 takes its branches
    /// and generators out of service.
    ///
    /// # Errors
    /// Whatever cannot be read faithfully, or contradicts itself, with its line.
    pub fn from_matpower(text: &str) -> Result<Self, ReadError> {
        let case = Case::read(text).map_err(|At { line, error }| ReadError::Matpower { line, source: error })?;
        convert::network(&case)
    }
}

/// Columns as MATPOWER numbers them, from 0.
mod column {
    pub const PD: usize = 2;
    pub const QD: usize = 3;
    pub const BASE_KV: usize = 9;
    pub const BR_R: usize = 2;
    pub const BR_X: usize = 3;
}

/// The names that `idx_bus` and its like return, in their order.
const INDEX_NAMES: [(&str, &str); 4] = [
    (
        "idx_bus",
        "PQ PV REF NONE BUS_I BUS_TYPE PD QD GS BS BUS_AREA VM VA BASE_KV ZONE VMAX VMIN LAM_P LAM_Q MU_VMAX MU_VMIN",
    ),
    (
        "idx_brch",
        "F_BUS T_BUS BR_R BR_X BR_B RATE_A RATE_B RATE_C TAP SHIFT BR_STATUS PF QF PT QT MU_SF MU_ST ANGMIN ANGMAX \
         MU_ANGMIN MU_ANGMAX",
    ),
    (
        "idx_gen",
        "GEN_BUS PG QG QMAX QMIN VG MBASE GEN_STATUS PMAX PMIN MU_PMAX MU_PMIN MU_QMAX MU_QMIN PC1 PC2 QC1MIN QC1MAX \
         QC2MIN QC2MAX RAMP_AGC RAMP_10 RAMP_30 RAMP_Q APF",
    ),
    ("idx_cost", "PW_LINEAR POLYNOMIAL MODEL STARTUP SHUTDOWN NCOST COST"),
];

/// Characters beyond which a statement is none of those that are understood.
const LONGEST: usize = 2000;

/// A case as its statements leave it.
#[derive(Debug, Default)]
struct Case {
    name: String,
    /// Name of the struct that the function returns.
    output: Option<String>,
    /// Whether the function has ended.
    ended: bool,
    base_mva: Option<f64>,
    /// Lines in which the fields stand.
    lines: BTreeMap<&'static str, usize>,
    /// Tables of unknown meaning.
    unknown: Vec<Unknown>,
    bus: Option<Vec<Row>>,
    gen_: Option<Vec<Row>>,
    branch: Option<Vec<Row>>,
    gencost: Option<Vec<Row>>,
    // Workspace of the trailing statements.
    indexed: Vec<&'static str>,
    v_base: Option<f64>,
    s_base: Option<f64>,
    power_factor: Option<f64>,
}

impl Case {
    fn read(text: &str) -> Result<Self, At> {
        let mut case = Self::default();
        for statement in &statements(text)? {
            case.execute(statement)?;
        }
        let length = |table: &Option<Vec<Row>>| table.as_ref().map_or(0, Vec::len);
        let counts = [&case.bus, &case.branch, &case.gen_, &case.gencost].map(length);
        case.unknown.iter().try_for_each(|table| table.check(&counts))?;
        Ok(case)
    }

    fn execute(&mut self, statement: &Statement) -> Result<(), At> {
        let Statement { line, text } = statement;
        let at = |error: MatpowerError| error.at(*line);
        if let Some(signature) = text.strip_prefix("function").filter(|s| s.starts_with([' ', '\t', CONTINUED, '['])) {
            return self.begin(signature).map_err(at);
        }
        // One of these closes the function in some files.
        if matches!(text.as_str(), "end" | "endfunction" | "return") {
            self.ended = true;
            return Ok(());
        }
        if self.ended {
            return Err(at(MatpowerError::AfterEnd { statement: shown(text, 60) }));
        }
        if text == "define_constants" {
            self.indexed.extend(INDEX_NAMES.map(|(function, _)| function));
            return Ok(());
        }
        if let Some((left, value)) = text.split_once('=') {
            let left = left.trim();
            let output = self.output.as_deref().unwrap_or("mpc");
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            if let Some(field) = left.strip_prefix(output).and_then(|rest| rest.strip_prefix('.')) {
                if field.chars().all(|c| is_word(c) || c == '.') {
                    let field = field.to_owned();
                    return self.assign(&field, value, *line);
                }
                let root: String = field.chars().take_while(|c| is_word(*c)).collect();
                if field[root.len()..].starts_with(['{', '(', '.']) && is_remark(&root) {
                    return Ok(());
                }
            }
            // The struct before anything is in it.
            let empty = matches!(value.trim(), "struct" | "struct()" | "[]");
            if left == output && empty && self.lines.is_empty() {
                return Ok(());
            }
        }
        self.convert(statement)
    }

    /// `[mpc] = name(..)` after the word `function`.
    fn begin(&mut self, signature: &str) -> Result<(), MatpowerError> {
        if self.output.is_some() || self.ended || !self.lines.is_empty() {
            return Err(MatpowerError::AfterEnd { statement: format!("function{}", shown(signature, 60)) });
        }
        let blank = |c: char| c.is_whitespace() || c == CONTINUED;
        let (output, name) = signature.split_once('=').unwrap_or(("", signature));
        let output = output.trim_matches(blank);
        let inside = output.strip_prefix('[').and_then(|o| o.strip_suffix(']')).unwrap_or(output).trim_matches(blank);
        // Format 1 returns its tables one by one.
        let is_one = inside.starts_with(|c: char| c.is_alphabetic());
        if !is_one || !inside.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(MatpowerError::Version { found: format!("function {}", shown(output, 60)) });
        }
        self.output = Some(inside.to_owned());
        let name = name.split('(').next().unwrap_or_default().trim_matches(blank);
        name.clone_into(&mut self.name);
        Ok(())
    }

    fn assign(&mut self, field: &str, value: &str, line: usize) -> Result<(), At> {
        // The value may begin on a later line.
        let skipped = &value[..value.len() - value.trim_start().len()];
        let at = line + skipped.matches(['\n', CONTINUED]).count();
        let value = value.trim();
        let slot = match field {
            "version" => {
                let found = value.trim_matches(['\'', '"']);
                self.lines.insert("version", line);
                return if found == "2" {
                    Ok(())
                } else {
                    Err(MatpowerError::Version { found: shown(found, 30) }.at(line))
                };
            }
            "baseMVA" => {
                if self.base_mva.replace(number(value, at)?).is_some() {
                    return Err(MatpowerError::Twice { field: field.into() }.at(line));
                }
                self.lines.insert("baseMVA", at);
                return Ok(());
            }
            "bus" => (&mut self.bus, "bus", 13),
            "gen" => (&mut self.gen_, "gen", 10),
            "branch" => (&mut self.branch, "branch", 11),
            "gencost" => (&mut self.gencost, "gencost", 5),
            _ => {
                self.unknown.extend(pass(field, value, line, at)?);
                return Ok(());
            }
        };
        let (slot, field, at_least) = slot;
        let rows = any_table(value, at)?;
        self.lines.insert(field, line);
        if let Some(first) = rows.first() {
            let expected = first.cells.len();
            if let Some(row) = rows.iter().find(|row| row.cells.len() != expected) {
                return Err(MatpowerError::Ragged { field, expected, found: row.cells.len() }.at(row.line));
            }
            if expected < at_least {
                return Err(MatpowerError::Columns { field, at_least, found: expected }.at(first.line));
            }
        }
        if slot.replace(rows).is_some() {
            return Err(MatpowerError::Twice { field: field.into() }.at(line));
        }
        Ok(())
    }

    /// The statements that distribution cases end with.
    fn convert(&mut self, statement: &Statement) -> Result<(), At> {
        let line = statement.line;
        let refused = || {
            let beginning: String = statement.text.chars().take(200).collect();
            let words: Vec<_> = beginning.split(|c: char| c.is_whitespace() || c == CONTINUED).collect();
            MatpowerError::Statement { statement: shown(&words.join(" "), 100) }.at(line)
        };
        if statement.text.len() > LONGEST {
            return Err(refused());
        }
        let mut compact = compact(&statement.text);
        if let Some(output) = self.output.as_deref().filter(|output| *output != "mpc") {
            compact = renamed(&compact, output);
        }
        let (left, right) = compact.split_once('=').ok_or_else(refused)?;
        if let Some((function, names)) = INDEX_NAMES.iter().find(|(function, _)| *function == right) {
            let given = left.strip_prefix('[').and_then(|l| l.strip_suffix(']')).ok_or_else(refused)?;
            // A list may stop early, but not rename or reorder.
            let mut canonical = names.split_whitespace();
            if !given.split(',').all(|name| canonical.next() == Some(name)) {
                return Err(refused());
            }
            self.indexed.push(function);
            return Ok(());
        }
        match (left, right) {
            ("Vbase", "mpc.bus(1,BASE_KV)*1e3") => {
                self.require_index("idx_bus", "BASE_KV", line)?;
                let first = self.bus.as_deref().and_then(<[Row]>::first);
                let kv = first.map(|row| row.cells[column::BASE_KV]).filter(|kv| *kv > 0.0);
                self.v_base = Some(kv.ok_or_else(|| MatpowerError::NoBaseVoltage.at(line))? * 1e3);
            }
            ("Sbase", "mpc.baseMVA*1e6") => {
                let base = self.base_mva.ok_or_else(|| MatpowerError::Missing { field: "baseMVA" }.at(line))?;
                self.s_base = Some(base * 1e6);
            }
            ("pf", value) => self.power_factor = Some(number(value, line).map_err(|_| refused())?),
            ("mpc.branch(:,[BR_R,BR_X])", "mpc.branch(:,[BR_R,BR_X])/(Vbase^2/Sbase)") => {
                self.require_index("idx_brch", "BR_R", line)?;
                let undefined = |name| MatpowerError::Undefined { name }.at(line);
                let v_base = self.v_base.ok_or_else(|| undefined("Vbase"))?;
                let s_base = self.s_base.ok_or_else(|| undefined("Sbase"))?;
                let z_base = v_base * v_base / s_base;
                for row in self.rows("branch", line)? {
                    row.cells[column::BR_R] /= z_base;
                    row.cells[column::BR_X] /= z_base;
                }
            }
            ("mpc.bus(:,[PD,QD])", "mpc.bus(:,[PD,QD])/1e3") => {
                self.require_index("idx_bus", "PD", line)?;
                for row in self.rows("bus", line)? {
                    row.cells[column::PD] /= 1e3;
                    row.cells[column::QD] /= 1e3;
                }
            }
            ("mpc.bus(:,QD)", "mpc.bus(:,PD)*sin(acos(pf))") => {
                let factor = self.power_factor(line)?.acos().sin();
                for row in self.rows("bus", line)? {
                    row.cells[column::QD] = row.cells[column::PD] * factor;
                }
            }
            ("mpc.bus(:,PD)", "mpc.bus(:,PD)*pf") => {
                let factor = self.power_factor(line)?;
                for row in self.rows("bus", line)? {
                    row.cells[column::PD] *= factor;
                }
            }
            _ => return Err(refused()),
        }
        Ok(())
    }

    fn require_index(&self, function: &str, name: &'static str, line: usize) -> Result<(), At> {
        if self.indexed.contains(&function) { Ok(()) } else { Err(MatpowerError::Undefined { name }.at(line)) }
    }

    fn power_factor(&self, line: usize) -> Result<f64, At> {
        self.require_index("idx_bus", "PD", line)?;
        self.power_factor.ok_or_else(|| MatpowerError::Undefined { name: "pf" }.at(line))
    }

    fn rows(&mut self, field: &'static str, line: usize) -> Result<&mut [Row], At> {
        let rows = if field == "bus" { &mut self.bus } else { &mut self.branch };
        rows.as_deref_mut().ok_or_else(|| MatpowerError::Missing { field }.at(line))
    }
}

/// The statement with `mpc` for the name of the struct.
fn renamed(statement: &str, output: &str) -> String {
    let field = format!("{output}.");
    let mut renamed = String::new();
    let mut rest = statement;
    while let Some(at) = rest.find(&field) {
        let inside_a_word = rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        renamed.push_str(&rest[..at]);
        renamed.push_str(if inside_a_word { &field } else { "mpc." });
        rest = &rest[at + field.len()..];
    }
    renamed + rest
}

/// The statement without blanks; those that separate the elements of a list become commas.
fn compact(text: &str) -> String {
    let mut compact = String::new();
    let mut in_list = false;
    for word in text.split(|c: char| c.is_whitespace() || c == CONTINUED).filter(|word| !word.is_empty()) {
        let starts_element = word.starts_with(|c: char| c.is_alphanumeric());
        if in_list && starts_element && compact.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            compact.push(',');
        }
        compact.push_str(word);
        in_list = compact.rfind('[') > compact.rfind(']');
    }
    compact
}

#[cfg(test)]
mod tests;
