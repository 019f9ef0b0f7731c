//! What a component instance knows: its settings and the newest catalog.

use crate::bindings::exports::stepwell::engine::actors::Settings as GivenSettings;
use crate::translate;
use std::cell::RefCell;
use std::rc::Rc;
use stepwell_engine::catalog::Catalog;
use stepwell_engine::error::Fault;
use stepwell_engine::turn::Settings;

/// Shared with whoever decides by it: an instance may learn a newer catalog while an exchange still holds the older.
#[derive(Clone, Default)]
pub struct Knowledge {
    /// How the server was started.
    pub settings: Rc<Settings>,
    /// The newest catalog.
    pub catalog: Rc<Catalog>,
}

thread_local! {
    static KNOWLEDGE: RefCell<Knowledge> = RefCell::default();
}

pub(crate) fn configure(settings: GivenSettings) {
    let settings = Rc::new(translate::settings(settings));
    KNOWLEDGE.with_borrow_mut(|knowledge| knowledge.settings = settings);
}

/// Replaces the catalog; the shell's version number and the snapshot's own must agree.
pub(crate) fn install_catalog(version: u64, snapshot: &[u8]) -> Result<(), Fault> {
    let catalog = Catalog::decode(snapshot)?;
    if catalog.version != version {
        let found = catalog.version;
        return Err(Fault::new("catalog snapshot", format!("it is version {found}, and was given as {version}")));
    }
    KNOWLEDGE.with_borrow_mut(|knowledge| knowledge.catalog = Rc::new(catalog.under(&knowledge.settings)));
    Ok(())
}

/// What is known, for a decision by catalog `version`.
///
/// # Errors
/// A version that is not the one installed: deciding by another would make a turn depend on which instance it met.
pub fn knowledge(version: u64) -> Result<Knowledge, Fault> {
    let knowledge = KNOWLEDGE.with_borrow(Clone::clone);
    let installed = knowledge.catalog.version;
    if installed == version {
        Ok(knowledge)
    } else {
        Err(Fault::new("catalog", format!("version {version} was asked for, version {installed} is installed")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(version: u64) -> Vec<u8> {
        Catalog { version, ..Catalog::default() }.encode().unwrap()
    }

    #[test]
    fn a_fresh_instance_has_the_empty_catalog() {
        assert!(knowledge(0).is_ok());
        assert!(knowledge(1).is_err());
    }

    #[test]
    fn only_the_installed_version_is_decided_by() {
        install_catalog(3, &snapshot(3)).unwrap();
        assert_eq!(knowledge(3).unwrap().catalog.version, 3);
        assert!(knowledge(2).is_err());
        assert!(knowledge(4).is_err());
    }

    #[test]
    fn turns_see_the_catalog_as_the_settings_have_it() {
        let settings = Settings { calls_per_app_max: Some(7), ..Settings::default() };
        KNOWLEDGE.with_borrow_mut(|knowledge| knowledge.settings = Rc::new(settings));
        let function =
            r#"{"id":"f","app":"a","name":"f","url":"http://app.test/","retries":4,"triggers":[],"version":1}"#;
        let snapshot = format!(r#"{{"version":1,"apps":{{}},"functions":{{"f":{function}}}}}"#);
        install_catalog(1, snapshot.as_bytes()).unwrap();
        let knowledge = knowledge(1).unwrap();
        assert_eq!(knowledge.catalog.function(&"f".into()).unwrap().app_calls_max, Some(7));
    }

    #[test]
    fn a_mislabelled_snapshot_is_refused_and_changes_nothing() {
        install_catalog(3, &snapshot(3)).unwrap();
        assert!(install_catalog(4, &snapshot(5)).is_err());
        assert!(install_catalog(4, b"{").is_err());
        assert!(knowledge(3).is_ok());
    }
}
