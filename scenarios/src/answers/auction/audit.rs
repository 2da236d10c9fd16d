//! A list of bids audited: what is found against the claims of auctions, and what somebody gets who says something else.

use super::super::game::Sheet;
use super::{AuctionError, Bids, auction_of, auctions};
use crate::AuditWatch;
use crate::audit::Watching;
use crate::run::{guarded, threads};
use crate::text::Text;
use coase_core::MechanismError;
use coase_core::evaluate::audit::{Bidder, Got, ListAudit, ListAudited, Offer, Watch};
use coase_core::mechanism::Mechanism;
use serde::Serialize;
use std::path::Path;

/// How a list is audited.
#[derive(Clone, Debug)]
pub struct ListAuditOptions {
    /// Number of threads; `None`: as many as the machine has.
    pub jobs: Option<usize>,
    /// Only this mechanism, by its id or with parameters; `None`: all that need nothing but a list.
    pub mechanism: Option<String>,
    /// About how many lists may be cleared for each.
    pub budget: usize,
    /// Seed of whatever is drawn.
    pub seed: u64,
    /// Offers that are taken to be the truth, by bidder.
    pub as_if: Vec<(String, Offer)>,
}

/// What came of the audit of one mechanism on a list.
#[derive(Debug)]
pub struct AuditedList {
    /// How it was asked for: by its id, or with parameters.
    pub asked: String,
    /// The mechanism.
    pub mechanism: Box<dyn Mechanism>,
    /// What was found, or why nothing could be.
    pub found: Result<ListAudited, String>,
}

/// What everybody gets of a list on which some say something else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Heard {
    /// In the order of the file.
    pub bidders: Vec<HeardBidder>,
}

/// One bidder of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeardBidder {
    /// Who.
    pub id: String,
    /// What it gives, kWh; less than nothing: what it takes.
    pub gives_kwh: f64,
    /// What it receives; less than nothing: what it pays.
    pub receives: f64,
    /// What that is to it by the file.
    pub gets: f64,
    /// The same where everybody says what the file says.
    pub gets_by_truth: f64,
}

/// Whether a file holds a list of bids.
pub fn is_auction(path: &Path) -> bool {
    Text::read(path).is_ok_and(|text| text.head() == "Auction")
}

impl Bids {
    /// Who bids what, in the order of the file.
    pub fn bidders(&self) -> Vec<Bidder> {
        let of = |sells: bool| {
            move |bidder: &super::Bidder| {
                let size = bidder.blocks.iter().map(|block| block.quantity_kwh).sum();
                Bidder {
                    id: bidder.id.clone(),
                    sells,
                    rating_kwh: bidder.rating_kwh.unwrap_or(size),
                    blocks: bidder.blocks.iter().map(|block| (block.price_per_kwh, block.quantity_kwh)).collect(),
                }
            }
        };
        self.form.buyers.iter().map(of(false)).chain(self.form.sellers.iter().map(of(true))).collect()
    }

    /// The list on which these offers are the truth.
    fn bidders_as_if(&self, offers: &[(String, Offer)]) -> Vec<Bidder> {
        let mut bidders = self.bidders();
        for bidder in &mut bidders {
            if let Some((_, offer)) = offers.iter().find(|(id, _)| *id == bidder.id) {
                bidder.sells = offer.sells;
                bidder.blocks.clone_from(&offer.blocks);
                let size = offer.blocks.iter().map(|block| block.1).sum::<f64>();
                bidder.rating_kwh = bidder.rating_kwh.max(size);
            }
        }
        bidders
    }

    /// Audits mechanisms on the list one after the other, each on all threads.
    ///
    /// # Errors
    /// A mechanism that is none, or needs more than a list; threads that cannot be started. That an auction has no outcome is what
    /// came of it.
    pub fn audit(&self, options: &ListAuditOptions, watch: &dyn AuditWatch) -> Result<Vec<AuditedList>, AuctionError> {
        let asked: Vec<String> = match &options.mechanism {
            Some(one) => vec![one.clone()],
            None if self.form.params.is_some() => return Err(AuctionError::WhoseParams),
            None => auctions().into_iter().map(str::to_owned).collect(),
        };
        let rules = asked.into_iter().map(|asked| {
            let rule = self.mechanism(&asked)?;
            auction_of(&*rule)?;
            Ok((asked, rule))
        });
        let rules: Vec<(String, Box<dyn Mechanism>)> = rules.collect::<Result<_, AuctionError>>()?;
        let bidders = self.bidders_as_if(&options.as_if);
        let pool = threads(options.jobs)?;
        let audit = |(asked, mechanism): (String, Box<dyn Mechanism>)| {
            let search = || {
                let (seed, budget, watch) = (options.seed, options.budget, &Watching(watch) as &dyn Watch);
                let auction = auction_of(&*mechanism).map_err(|error| error.to_string())?;
                ListAudit { mechanism: &*mechanism, auction, bidders: &bidders, seed, budget, watch }.run()
            };
            let found = guarded("the mechanism broke off", search).and_then(|found| found);
            watch.finished();
            AuditedList { asked, mechanism, found }
        };
        Ok(pool.install(|| rules.into_iter().map(audit).collect()))
    }

    /// How many mechanisms such an audit takes up.
    pub fn audited(&self, options: &ListAuditOptions) -> usize {
        if options.mechanism.is_some() { 1 } else { auctions().len() }
    }

    /// What everybody gets where these bidders say something else than the file.
    ///
    /// # Errors
    /// A mechanism that is none or needs more than a list; no outcome with or without the offers.
    pub fn heard(&self, mechanism: &str, seed: u64, offers: &[(String, Offer)]) -> Result<Heard, AuctionError> {
        let rule = self.mechanism(mechanism)?;
        let (auction, bidders) = (auction_of(&*rule)?, self.bidders());
        let audit = ListAudit { mechanism: &*rule, auction, bidders: &bidders, seed, budget: 0, watch: &() };
        let who = |(id, offer): &(String, Offer)| {
            bidders.iter().position(|bidder| bidder.id == *id).map(|who| (who, offer.clone()))
        };
        let said: Vec<(usize, Offer)> = offers.iter().filter_map(who).collect();
        let got = audit.outcome(&said).map_err(|why| AuctionError::Mechanism(MechanismError::Failed(why)))?;
        let heard = |(bidder, got): (&Bidder, Got)| HeardBidder {
            id: bidder.id.clone(),
            gives_kwh: got.gives_kwh,
            receives: got.receives,
            gets: got.gets,
            gets_by_truth: got.gets_by_truth,
        };
        Ok(Heard { bidders: bidders.iter().zip(got).map(heard).collect() })
    }
}

impl Heard {
    /// For people.
    pub fn sheets(&self) -> Vec<Sheet> {
        let cell = |x: f64| format!("{x:.6}");
        let head = ["", "gives kWh", "receives", "gets", "by truth", "gains"].map(str::to_owned).to_vec();
        let row = |b: &HeardBidder| {
            let numbers = [b.gives_kwh, b.receives, b.gets, b.gets_by_truth, b.gets - b.gets_by_truth];
            std::iter::once(b.id.clone()).chain(numbers.map(cell)).collect()
        };
        vec![Sheet { head, rows: self.bidders.iter().map(row).collect(), notes: vec![] }]
    }
}
