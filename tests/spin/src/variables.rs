//! Variables of the application, and what components make of them.

use crate::manifest::Variable;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;

/// What Spin puts before the names of variables that it takes from its own environment.
const PREFIX: &str = "SPIN_VARIABLE_";

/// Values by name.
pub type Values = BTreeMap<String, String>;

/// The application's variables: those of the command line before those of the environment before defaults.
///
/// # Errors
/// One that is required and has no value; one of the command line that the manifest does not declare.
pub fn resolve(declared: &BTreeMap<String, Variable>, given: &Values, environment: &Values) -> Result<Values> {
    if let Some(name) = given.keys().find(|name| !declared.contains_key(*name)) {
        bail!("the manifest declares no variable {name:?}");
    }
    let value_of = |(name, variable): (&String, &Variable)| {
        let by_environment = environment.get(&format!("{PREFIX}{}", name.to_ascii_uppercase()));
        let value = given.get(name).or(by_environment).or(variable.default.as_ref());
        let value = value.with_context(|| format!("the variable {name:?} is required: --variable {name}=…"))?;
        Ok((name.clone(), value.clone()))
    };
    declared.iter().map(value_of).collect()
}

/// Fills `{{ name }}` in.
///
/// # Errors
/// A name that is not declared, or braces that do not close.
pub fn fill(template: &str, values: &Values) -> Result<String> {
    let (mut filled, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, beyond) =
            after.split_once("}}").with_context(|| format!("{template:?} has braces that do not close"))?;
        let value =
            values.get(name.trim()).with_context(|| format!("{template:?} names no variable of the application"))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = beyond;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn declared() -> BTreeMap<String, Variable> {
        let default = Variable { default: Some("by default".to_owned()), required: false, secret: false };
        let required = Variable { default: None, required: true, secret: true };
        BTreeMap::from([("kind".to_owned(), default), ("key".to_owned(), required)])
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_defaults() {
        let resolved = resolve(&declared(), &values(&[("key", "given")]), &values(&[("SPIN_VARIABLE_KEY", "other")]));
        assert_eq!(resolved.unwrap(), values(&[("key", "given"), ("kind", "by default")]));
        let resolved = resolve(&declared(), &Values::new(), &values(&[("SPIN_VARIABLE_KEY", "other")]));
        assert_eq!(resolved.unwrap(), values(&[("key", "other"), ("kind", "by default")]));
    }

    #[test]
    fn what_is_required_must_be_given_and_what_is_given_be_declared() {
        let fault = resolve(&declared(), &Values::new(), &Values::new()).unwrap_err();
        assert!(fault.to_string().contains("\"key\""), "{fault}");
        let fault = resolve(&declared(), &values(&[("kye", "x")]), &Values::new()).unwrap_err();
        assert!(fault.to_string().contains("\"kye\""), "{fault}");
    }

    #[test]
    fn templates_are_filled_with_what_is_declared() {
        let values = values(&[("a", "1"), ("b", "2")]);
        assert_eq!(fill("http://{{ a }}:{{b}}/", &values).unwrap(), "http://1:2/");
        assert_eq!(fill("plain", &values).unwrap(), "plain");
        assert!(fill("{{ c }}", &values).is_err());
        assert!(fill("{{ a", &values).is_err());
    }
}
