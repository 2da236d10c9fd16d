//! The audit of a list of bids.

use super::AuditBar;
use super::findings::{Told, is_something, quoted, table};
use crate::args::Audit;
use crate::offence::Offence;
use crate::progress::Show;
use crate::{Finish, console};
use anyhow::bail;
use coase_core::evaluate::audit::{BidGain, BidRegret, DEFAULT_LIST_BUDGET, Finding, Found, ListAudited};
use coase_scenarios::answers::{
    AuctionError, AuditedList, Bids, ListAuditOptions, read_auction, read_offers, written_offers,
};
use serde_json::{Value, json};
use std::fmt::Write;

/// Audits auctions on the bids of a file and prints what was found.
pub fn audit(args: &Audit) -> anyhow::Result<Finish> {
    if !args.set.is_empty() {
        bail!(
            "--set: a list of bids has no parameters but those of its mechanism, `--mechanism 'DoubleAuction(kappa: 0.5)'`"
        );
    }
    if args.within.is_some() {
        bail!("--within: of a list of bids every offer is tried, or lines through the truth");
    }
    let bids = read_auction(&args.file).map_err(Offence::from)?;
    let as_if = match args.as_if.as_deref().map(|text| read_offers(&bids, text)) {
        None => vec![],
        Some(Ok(offers)) => offers,
        Some(Err(wrong)) => bail!("--as-if: {wrong}"),
    };
    let options = ListAuditOptions {
        jobs: args.jobs.map(usize::from),
        mechanism: args.mechanism.clone(),
        budget: args.budget.map_or(DEFAULT_LIST_BUDGET, |budget| budget as usize),
        seed: args.seed.unwrap_or(1),
        as_if,
    };
    let watch = AuditBar::new(if args.json { Show::Never } else { Show::OnTerminals }, bids.audited(&options));
    let found = match bids.audit(&options, &watch) {
        Ok(found) => found,
        Err(AuctionError::File(fault)) => return Err(Offence::from(fault).into()),
        Err(wrong) => bail!("{}: {wrong}", args.file.display()),
    };
    watch.bar.finish_and_clear();
    let again = Again { args, options: &options, bids: &bids };
    if args.json {
        console::print_json(&again.json(&found))?;
    } else {
        console::print(&again.text(&found));
    }
    // What a list of bids cannot tell a mechanism, as priors, is no fault of either, unless it was asked for by name.
    let is_bad = |audited: &AuditedList| audited.found.as_ref().map_or(args.mechanism.is_some(), ListAudited::refutes);
    Ok(if found.iter().any(is_bad) { Finish::SomeFailed } else { Finish::Done })
}

/// How a finding is found again.
struct Again<'a> {
    args: &'a Audit,
    options: &'a ListAuditOptions,
    bids: &'a Bids,
}

impl Again<'_> {
    fn command(&self, audited: &AuditedList, finding: &Finding) -> Option<String> {
        let file = quoted(&self.args.file.display().to_string());
        let of = |verb: &str, end: &str| {
            let seed = self.args.seed.map_or(String::new(), |seed| format!(" --seed {seed}"));
            format!("coase {verb} {file} --mechanism {}{seed}{end}", quoted(&audited.asked))
        };
        let audit = |as_if: Option<&str>| {
            let budget = self.args.budget.map_or(String::new(), |budget| format!(" --budget {budget}"));
            let as_if = as_if.map_or(String::new(), |offers| format!(" --as-if {}", quoted(offers)));
            of("audit", &format!("{budget}{as_if}"))
        };
        if !is_something(finding) {
            return None;
        }
        let as_if = self.args.as_if.as_deref();
        Some(match &finding.found {
            Found::Bids(offers) if !offers.is_empty() && as_if.is_none() => {
                of("auction", &format!(" --reports {}", quoted(&written_offers(self.bids, offers))))
            }
            Found::AsIfBids(offers) if !offers.is_empty() && as_if.is_none() => {
                audit(Some(&written_offers(self.bids, offers)))
            }
            _ => audit(as_if),
        })
    }

    fn told<'b>(&self, audited: &AuditedList, found: &'b ListAudited) -> Vec<Told<'b>> {
        let claims = audited.mechanism.plugin().claims;
        let told = |finding: &'b Finding| {
            let declared = finding.claim.and_then(|claim| claims.iter().find(|(declared, _)| *declared == claim));
            Told { finding, declared: declared.map(|(_, words)| *words), command: self.command(audited, finding) }
        };
        found.findings.iter().map(told).collect()
    }

    fn text(&self, found: &[AuditedList]) -> String {
        let mut text = String::new();
        for audited in found {
            if !text.is_empty() {
                text.push('\n');
            }
            let file = self.args.file.display();
            let _ = writeln!(text, "{} on the list {file}, seed {}", audited.asked, self.options.seed);
            match &audited.found {
                Ok(found) => table(&self.told(audited, found), &mut text),
                Err(why) => {
                    let _ = writeln!(text, "  nothing to audit: {why}");
                }
            }
        }
        text
    }

    fn json(&self, found: &[AuditedList]) -> Value {
        let of_one = |audited: &AuditedList| {
            let mut entry = json!({
                "mechanism": audited.mechanism.plugin().id, "variant": audited.asked, "seed": self.options.seed,
                "findings": [], "regrets": [], "refuted": false, "error": Value::Null,
            });
            match &audited.found {
                Ok(found) => {
                    entry["findings"] = self.told(audited, found).iter().map(Told::json).collect();
                    entry["regrets"] = found.regrets.iter().map(|regret| self.regret(regret)).collect();
                    entry["refuted"] = found.refutes().into();
                }
                Err(why) => entry["error"] = why.as_str().into(),
            }
            entry
        };
        let audits: Vec<Value> = found.iter().map(of_one).collect();
        json!({"file": self.args.file, "budget": self.options.budget, "audits": audits})
    }

    fn regret(&self, regret: &BidRegret) -> Value {
        let gain = |gain: &BidGain| {
            let block = |(price, kwh): &(f64, f64)| json!({"price_per_kwh": price, "quantity_kwh": kwh});
            let blocks: Vec<Value> = gain.offer.blocks.iter().map(block).collect();
            let side = if gain.offer.sells { "Seller" } else { "Buyer" };
            json!({"gain": gain.value, "side": side, "blocks": blocks})
        };
        json!({
            "participant": self.bids.bidders()[regret.who].id, "complete": regret.is_complete,
            "price": gain(&regret.price), "quantity": gain(&regret.quantity), "joint": gain(&regret.joint),
            "overstated": gain(&regret.overstated), "role": gain(&regret.other_side),
        })
    }
}
