//! From a core module to a component that imports nothing and is what its world says.

use anyhow::{Context, Result, bail};
use std::path::Path;
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{PackageId, Resolve};

/// What a component may ask of the machinery around it: handles of the resources that it exports itself.
const RESOURCE_INTRINSICS: &str = "[export]";

/// The worlds of wit/.
pub(crate) struct Worlds {
    resolve: Resolve,
    package: PackageId,
}

impl Worlds {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder).with_context(|| folder.display().to_string())?;
        Ok(Self { resolve, package })
    }
}

/// Encodes `core` as a component, and checks that it imports nothing and fits the world `name`.
pub(crate) fn component(core: &[u8], worlds: &Worlds, name: &str) -> Result<Vec<u8>> {
    core_imports_nothing(core)?;
    let component = ComponentEncoder::default().validate(true).module(core)?.encode()?;
    component_imports_nothing(&component)?;
    let world = worlds.resolve.select_world(&[worlds.package], Some(name))?;
    wit_component::targets(&worlds.resolve, world, &component, false)
        .with_context(|| format!("it is not what the world {name} of wit/ says"))?;
    Ok(component)
}

fn core_imports_nothing(core: &[u8]) -> Result<()> {
    for payload in Parser::new(0).parse_all(core) {
        let Payload::ImportSection(section) = payload? else { continue };
        for import in section.into_imports() {
            let import = import?;
            if !import.module.starts_with(RESOURCE_INTRINSICS) {
                bail!(
                    "the core module imports {} from {}: a component of Stepwell imports nothing",
                    import.name,
                    import.module
                );
            }
        }
    }
    Ok(())
}

fn component_imports_nothing(component: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("it is a package of WIT, not a component");
    };
    let world = resolve.worlds.get(world).context("a component without a world")?;
    let imports: Vec<_> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    if !imports.is_empty() {
        bail!("the component imports {}: a component of Stepwell imports nothing", imports.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wit_component::{StringEncoding, embed_component_metadata};
    use wit_parser::{LiftLowerAbi, ManglingAndAbi};

    const WIT: &str = "
        package probe:probe;
        interface types { record point { x: u32 } }
        interface clock { now: func() -> u64; }
        interface charts { use types.{point}; resource chart { constructor(at: point); at: func() -> point; } }
        world pure { export types; export charts; }
        world wants-types { export charts; }
        world wants-time { import clock; export types; export charts; }
        world other { export types; }
    ";

    fn worlds() -> Worlds {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("probe.wit", WIT).unwrap();
        Worlds { resolve, package }
    }

    /// Built as `made_as` says, taken for `taken_for`.
    fn encoded(made_as: &str, taken_for: &str) -> Result<Vec<u8>> {
        let worlds = worlds();
        let world = worlds.resolve.select_world(&[worlds.package], Some(made_as)).unwrap();
        let mut core = wit_component::dummy_module(&worlds.resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
        embed_component_metadata(&mut core, &worlds.resolve, world, StringEncoding::UTF8, false).unwrap();
        component(&core, &worlds, taken_for)
    }

    fn refusal(made_as: &str, taken_for: &str) -> String {
        format!("{:#}", encoded(made_as, taken_for).unwrap_err())
    }

    #[test]
    fn a_component_without_imports_passes() {
        encoded("pure", "pure").unwrap();
    }

    #[test]
    fn a_component_that_exports_more_than_its_world_passes() {
        encoded("pure", "wants-types").unwrap();
    }

    #[test]
    fn a_component_that_imports_a_function_is_refused() {
        assert!(refusal("wants-time", "pure").contains("imports"));
    }

    #[test]
    fn a_component_that_imports_nothing_but_types_is_refused() {
        assert!(refusal("wants-types", "wants-types").contains("imports probe:probe/types"));
    }

    #[test]
    fn a_component_of_another_world_is_refused() {
        assert!(refusal("other", "pure").contains("not what the world pure"));
    }
}
