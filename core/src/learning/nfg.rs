//! Gambit's file format for strategic forms.

use super::NormalForm;
use std::fmt::Write;

impl NormalForm {
    /// The game in Gambit's `.nfg` format, version 1, with payoffs: the first player's strategy moves fastest there.
    pub fn nfg(&self, title: &str, players: &[String], strategies: &[Vec<String>]) -> String {
        let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(" ");
        let mut text = format!("NFG 1 R {} {{ {} }}\n\n{{ ", quoted(title), list(players));
        for (k, names) in strategies.iter().enumerate() {
            let indent = if k == 0 { "" } else { "  " };
            let _ = writeln!(text, "{indent}{{ {} }}", list(names));
        }
        text.push_str("}\n\"\"\n\n");
        let n = self.players();
        let mut profile = vec![0; n];
        for _ in 0..self.profiles() {
            let payoffs = self.payoffs(self.place(&profile)).iter().map(|x| exact(*x));
            let _ = writeln!(text, "{}", payoffs.collect::<Vec<_>>().join(" "));
            for (at, k) in profile.iter_mut().zip(self.strategies()) {
                *at += 1;
                if *at < *k {
                    break;
                }
                *at = 0;
            }
        }
        text
    }
}

/// A decimal number without an exponent that reads back the same.
fn exact(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x}") }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
