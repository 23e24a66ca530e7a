//! What comparing is to do.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use cti_dissector::diff::{FieldPattern, LatencyRules, Profile, Rules};
use jiff::tz::TimeZone;

use crate::args::{DiffArgs, DiffFormat, SelectArgs};
use crate::inputs::FileInput;
use crate::values::{self, Factor, TypeSelection};

use super::selection::filter_of;
use super::{Decoding, Selection, captures_of, time_zone};

/// What a comparison is to do.
#[derive(Debug)]
pub struct DiffOptions {
    /// The captures or the dump of the old side.
    pub old: Vec<FileInput>,
    /// Those of the new side; `None` where a baseline is written.
    pub new: Option<Vec<FileInput>>,
    /// Write the old side here.
    pub write_baseline: Option<PathBuf>,
    /// Which messages count.
    pub selection: Selection,
    /// How they are compared.
    pub rules: Rules,
    /// Form of the output.
    pub format: DiffFormat,
    /// Time zone of the times.
    pub zone: TimeZone,
    /// ASCII only.
    pub ascii: bool,
    /// Messages shown around a difference.
    pub context: usize,
    /// Differing places that are shown.
    pub limit: usize,
    /// Old and new beside each other.
    pub side_by_side: bool,
    /// How to decode the messages.
    pub decoding: Decoding,
}

impl DiffOptions {
    /// What the arguments and the profile ask for.
    pub fn new(args: DiffArgs) -> anyhow::Result<Self> {
        let zone = time_zone(args.show.utc);
        let compare = args.compare;
        let profile = match &compare.profile {
            Some(path) => read_profile(path)?,
            None => Profile::default(),
        };
        let mut rules = profile.rules()?;
        let patterns = |texts: &[String]| -> Vec<FieldPattern> {
            texts.iter().map(|text| FieldPattern::new(text)).collect()
        };
        rules.ignore.extend(patterns(&compare.ignore));
        rules.varies.extend(patterns(&compare.varies));
        rules.identity.extend(patterns(&compare.identity));
        rules.other_agents |= compare.other_agents;
        rules.strict_order |= compare.strict_order;
        if let Some(tolerance) = compare.numeric_tolerance {
            let everything = FieldPattern::new("*");
            rules
                .tolerances
                .retain(|(pattern, _)| *pattern != everything);
            rules.tolerances.push((everything, tolerance));
        }
        if let Some(Factor(factor)) = compare.latency_factor {
            rules.latency = factor.map(|factor| LatencyRules {
                factor,
                ..LatencyRules::default()
            });
        }
        let mut types = compare.ignore_types;
        for pattern in &profile.ignore_types {
            let pattern = values::message_types(pattern)
                .with_context(|| format!("ignore_types of the profile: '{pattern}'"))?;
            types.push(pattern);
        }
        let only = match (compare.only, profile.only) {
            (Some(own), Some(profile)) => Some(format!("({own}) && ({profile})")),
            (own, profile) => own.or(profile),
        };
        let select = SelectArgs {
            sessions: Vec::new(),
            types: Vec::new(),
            calls: Vec::new(),
            agents: Vec::new(),
            from: compare.from,
            to: compare.to,
            no_heartbeats: compare.no_heartbeats || profile.no_heartbeats,
            only_failures: false,
            filter: None,
        };
        let mut selection = Selection::new(select, &zone, false)?;
        selection.types = TypeSelection::without(types);
        selection.filter =
            filter_of(only, &zone, false).context("invalid value for '--only <EXPR>'")?;
        let files = |path: PathBuf| captures_of(&[path], &args.common);
        let stdin = |path: &Path| path.as_os_str() == "-";
        ensure!(
            !(stdin(&args.old) && args.new.as_deref().is_some_and(stdin)),
            "- stands for standard input and can be named once only"
        );
        Ok(Self {
            old: files(args.old)?,
            new: args.new.map(files).transpose()?,
            write_baseline: compare.write_baseline,
            selection,
            rules,
            format: args.show.format,
            zone,
            ascii: args.show.ascii,
            context: args.show.context.or(profile.context).unwrap_or(3),
            limit: args.show.limit,
            side_by_side: args.show.side_by_side,
            decoding: Decoding::new(args.decode),
        })
    }
}

fn read_profile(path: &Path) -> anyhow::Result<Profile> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Profile::parse(&text).map_err(|error| match error.line(&text) {
        Some(line) => anyhow!("{}: line {line}: {error}", path.display()),
        None => anyhow!("{}: {error}", path.display()),
    })
}
