//! `coase slurm`: an experiment in parts on a cluster that Slurm runs, as scripts that a user can read and change.

use crate::args::Slurm;
use crate::{Finish, console, offence::Offence, run};
use anyhow::{Context, ensure};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const ARRAY: &str = include_str!("slurm/array.sh");
const COLLECT: &str = include_str!("slurm/collect.sh");
const SUBMIT: &str = include_str!("slurm/submit.sh");
/// How often a part that ended early is begun again.
const RESTARTS: u32 = 20;

/// Checks an experiment and writes the scripts that run it in parts; submits nothing.
pub fn slurm(args: &Slurm) -> anyhow::Result<Finish> {
    let experiment = coase_scenarios::load(&args.file, &args.set).map_err(Offence::from)?;
    console::notes(&experiment.notes());
    let runs = experiment.runs.len();
    let shards = usize::from(args.shards);
    ensure!(shards <= runs, "there are {runs} runs: more than {runs} parts would have nothing to do");
    let out = run::folder_of(&args.file, args.out.as_deref());
    let folder = out.join("slurm");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let values = values(args, &out)?;
    for (name, template) in [("array.sh", ARRAY), ("collect.sh", COLLECT), ("submit.sh", SUBMIT)] {
        let path = folder.join(name);
        write_executable(&path, &filled(template, &values))
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let most = runs.div_ceil(shards);
    console::print(&format!(
        "wrote array.sh, collect.sh and submit.sh to {0}: {runs} runs in {shards} parts of at most {most}\n\
         try: {0}/submit.sh\n",
        folder.display()
    ));
    Ok(Finish::Done)
}

/// What stands in the scripts for their words in capitals.
fn values(args: &Slurm, out: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let absolute = |path: &Path| -> anyhow::Result<String> {
        let path = std::path::absolute(path).with_context(|| format!("cannot tell where `{}` is", path.display()))?;
        path.to_str().map(quoted).with_context(|| format!("`{}` cannot be written in a script", path.display()))
    };
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let set = args.set.iter().map(|set| format!("--set {}", quoted(&set.to_string()))).collect::<Vec<_>>().join(" ");
    let mut more = String::new();
    for (name, value) in [("partition", &args.partition), ("account", &args.account), ("mem", &args.mem)] {
        if let Some(value) = value {
            writeln!(more, "#SBATCH --{name}={value}")?;
        }
    }
    Ok(vec![
        ("JOB", job_name(&stem)),
        // It stands in comments: one line.
        ("NAME", stem.replace(char::is_control, " ")),
        ("LAST", (args.shards - 1).to_string()),
        ("COUNT", args.shards.to_string()),
        ("CPUS", args.cpus.to_string()),
        ("TIME", args.time.0.clone()),
        ("RESTARTS", RESTARTS.to_string()),
        ("PROGRAM", absolute(&program)?),
        ("FILE", absolute(&args.file)?),
        ("OUT", absolute(out)?),
        (" SET", if set.is_empty() { set } else { format!(" {set}") }),
        ("MORE\n", more),
    ])
}

/// A template with its words in capitals replaced, each where it stands alone; what was put in is not looked at again.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut text = String::new();
    let mut rest = template;
    while !rest.is_empty() {
        let stands_alone = !text.ends_with(is_word);
        let found = values.iter().find(|(name, _)| {
            let begins_word = !name.starts_with(is_word) || stands_alone;
            rest.strip_prefix(name)
                .is_some_and(|after| begins_word && (name.ends_with('\n') || !after.starts_with(is_word)))
        });
        if let Some((name, value)) = found {
            text += value;
            rest = &rest[name.len()..];
        } else {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            text += &rest[..next];
            rest = &rest[next..];
        }
    }
    text
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The name of a job, of characters that need no quotes.
fn job_name(stem: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    format!("coase-{}", stem.chars().map(plain).collect::<String>())
}

fn write_executable(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_where_they_stand_alone() {
        let values = vec![
            ("JOB", "a".to_owned()),
            ("OUT", "JOB".to_owned()),
            (" SET", String::new()),
            ("MORE\n", String::new()),
        ];
        assert_eq!(
            filled("JOB-x SLURM_JOB_ID MY_JOB OUT SET &\nMORE\nend", &values),
            "a-x SLURM_JOB_ID MY_JOB JOB &\nend"
        );
    }

    #[test]
    fn quotes_hold_whatever_is_in_a_name() {
        assert_eq!(quoted("/home/me/a-b_1.ron"), "/home/me/a-b_1.ron");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
        assert_eq!(job_name("my study (2)"), "coase-my_study__2_");
    }
}
