//! `coase explain`: what a name means, be it a mechanism, a policy, a report rule, a device, a network, a file of the library, a column, a
//! form or a field.

mod columns;
mod files;
mod forms;
mod plugin;
mod words;

pub use files::comment;

use crate::Finish;
use crate::args::Explain;
use crate::console;
use crate::nearest::hint;
use anyhow::bail;
use serde_json::Value;

/// What is known of a name.
struct Sheet {
    json: Value,
    text: String,
}

/// A kind of thing that has names: all of them, and what is known of one.
struct Subject {
    ids: fn() -> Vec<String>,
    sheet: fn(&str) -> Option<anyhow::Result<Sheet>>,
}

/// In the order in which a name is looked up.
const SUBJECTS: [Subject; 9] = [
    Subject { ids: plugin::mechanism_ids, sheet: plugin::mechanism },
    Subject { ids: plugin::policy_ids, sheet: plugin::policy },
    Subject { ids: plugin::rule_ids, sheet: plugin::rule },
    Subject { ids: plugin::device_ids, sheet: plugin::device },
    Subject { ids: files::network_ids, sheet: files::network },
    Subject { ids: files::library_ids, sheet: files::library },
    Subject { ids: forms::form_ids, sheet: forms::form },
    Subject { ids: columns::ids, sheet: columns::columns },
    Subject { ids: forms::field_ids, sheet: forms::field },
];

/// Prints what a name means.
pub fn explain(args: &Explain) -> anyhow::Result<Finish> {
    let Some(sheet) = SUBJECTS.iter().find_map(|subject| (subject.sheet)(&args.id)) else {
        let ids: Vec<String> = SUBJECTS.iter().flat_map(|subject| (subject.ids)()).collect();
        bail!("nothing is called `{}`{}", args.id, hint(&args.id, ids.iter().map(String::as_str)))
    };
    let sheet = sheet?;
    if args.json {
        console::print_json(&sheet.json)?;
    } else {
        console::print(&sheet.text);
    }
    Ok(Finish::Done)
}
