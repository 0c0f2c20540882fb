//! What is wrong with a command line, said without a word of it.
//!
//! A number or a name in the wrong place is the commonest mistake there is, and clap quotes what it cannot read. Here
//! the message is built anew from what clap knows of its own: the names of arguments and commands, the values that
//! are possible, and what our own parsers say they want ([`Wanted`]). Nothing that was typed is ever repeated.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::values::Wanted;

/// The message; none when it is help or a version that was asked for, which clap prints.
pub(crate) fn message(error: &clap::Error) -> Option<String> {
    let own = |kind| own_words(error, kind);
    let argument = || own(ContextKind::InvalidArg).unwrap_or_else(|| "an argument".to_owned());
    let mut text = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return None;
        }
        ErrorKind::InvalidValue => match own(ContextKind::ValidValue) {
            Some(values) => format!("{}: the value must be one of {values}", argument()),
            None => format!("{}: a value is missing", argument()),
        },
        ErrorKind::ValueValidation => match error.source().and_then(|source| source.downcast_ref::<Wanted>()) {
            Some(wanted) => format!("{}: {wanted}", argument()),
            None => format!("{}: the value cannot be read", argument()),
        },
        ErrorKind::UnknownArgument => "an argument stands here that the command does not know".to_owned(),
        ErrorKind::InvalidSubcommand => "no command is named so".to_owned(),
        ErrorKind::MissingSubcommand => "a command is missing".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("missing: {}", argument()),
        ErrorKind::NoEquals => format!("{}: the value must stand behind an equals sign", argument()),
        ErrorKind::TooManyValues => format!("{}: too many values", argument()),
        ErrorKind::TooFewValues => format!("{}: too few values", argument()),
        ErrorKind::WrongNumberOfValues => format!("{}: the number of values is wrong", argument()),
        ErrorKind::ArgumentConflict => match own(ContextKind::PriorArg) {
            Some(other) if other != argument() => format!("{} cannot be used with {other}", argument()),
            _ => format!("{} cannot be used more than once", argument()),
        },
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => "the command line cannot be read".to_owned(),
    };
    for suggestion in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
        if let Some(meant) = own(suggestion) {
            text += &format!("; did you mean {meant}?");
        }
    }
    if let Some(usage) = own(ContextKind::Usage) {
        text += &format!("\n\n{}", usage.trim_end());
    }
    Some(text + "\n\nFor more, try --help.")
}

/// A part of the error that clap made of its own words.
fn own_words(error: &clap::Error, kind: ContextKind) -> Option<String> {
    // Of these two kinds the argument is what was typed.
    let typed = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand);
    if typed && kind == ContextKind::InvalidArg {
        return None;
    }
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) if !texts.is_empty() => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        _ => None,
    }
}
