//! Between a script's JSON and a component's values, whatever their shapes (docs/SIMULATION.md, "The script format").

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wasmtime::component::{Type, Val};

/// Reads a value of type `ty`.
pub fn read(json: &Value, ty: &Type) -> Result<Val> {
    let wrong = || format!("{json} is not of the type that the component wants");
    Ok(match ty {
        Type::Bool => Val::Bool(json.as_bool().with_context(wrong)?),
        Type::U16 => Val::U16(json.as_u64().and_then(|n| n.try_into().ok()).with_context(wrong)?),
        Type::U32 => Val::U32(json.as_u64().and_then(|n| n.try_into().ok()).with_context(wrong)?),
        Type::U64 => Val::U64(json.get("u64").and_then(Value::as_str).with_context(wrong)?.parse()?),
        Type::String => Val::String(json.as_str().with_context(wrong)?.to_owned()),
        Type::Enum(_) => Val::Enum(json.as_str().with_context(wrong)?.to_owned()),
        Type::List(list) if matches!(list.ty(), Type::U8) => {
            let text = json.get("base64").and_then(Value::as_str).with_context(wrong)?;
            Val::List(STANDARD.decode(text)?.into_iter().map(Val::U8).collect())
        }
        Type::List(list) => {
            let ty = list.ty();
            let members = json.as_array().with_context(wrong)?;
            Val::List(members.iter().map(|member| read(member, &ty)).collect::<Result<_>>()?)
        }
        Type::Tuple(tuple) => {
            let members = json.as_array().with_context(wrong)?;
            Val::Tuple(members.iter().zip(tuple.types()).map(|(member, ty)| read(member, &ty)).collect::<Result<_>>()?)
        }
        Type::Record(record) => {
            let field = |field: wasmtime::component::types::Field<'_>| {
                // A missing field is an option that is not there; of any other type it is wrong.
                let held = json.get(camel(field.name)).unwrap_or(&Value::Null);
                Ok((field.name.to_owned(), read(held, &field.ty)?))
            };
            Val::Record(record.fields().map(field).collect::<Result<_>>()?)
        }
        Type::Option(_) if json.is_null() => Val::Option(None),
        Type::Option(option) => Val::Option(Some(Box::new(read(json, &option.ty())?))),
        Type::Variant(variant) => {
            let tag = json.get("tag").and_then(Value::as_str).with_context(wrong)?;
            let case = variant.cases().find(|case| case.name == tag).with_context(wrong)?;
            Val::Variant(tag.to_owned(), payload(json, case.ty.as_ref())?)
        }
        Type::Result(result) => match json.get("tag").and_then(Value::as_str) {
            Some("ok") => Val::Result(Ok(payload(json, result.ok().as_ref())?)),
            Some("err") => Val::Result(Err(payload(json, result.err().as_ref())?)),
            _ => bail!(wrong()),
        },
        other => bail!("wit/ has no {other:?} so far"),
    })
}

fn payload(json: &Value, ty: Option<&Type>) -> Result<Option<Box<Val>>> {
    let held = json.get("val").unwrap_or(&Value::Null);
    ty.map(|ty| read(held, ty).map(Box::new)).transpose()
}

/// Writes a value of type `ty`, in the one way in which a script writes it.
pub fn write(val: &Val, ty: &Type) -> Result<String> {
    let mut out = String::new();
    put(&mut out, val, ty)?;
    Ok(out)
}

fn put(out: &mut String, val: &Val, ty: &Type) -> Result<()> {
    match (val, ty) {
        (Val::Bool(held), _) => out.push_str(if *held { "true" } else { "false" }),
        (Val::U16(held), _) => out.push_str(&held.to_string()),
        (Val::U32(held), _) => out.push_str(&held.to_string()),
        (Val::U64(held), _) => {
            out.push_str("{\"u64\":\"");
            out.push_str(&held.to_string());
            out.push_str("\"}");
        }
        (Val::String(held) | Val::Enum(held), _) => text(out, held)?,
        (Val::List(held), Type::List(list)) if matches!(list.ty(), Type::U8) => bytes(out, held),
        (Val::List(held), Type::List(list)) => {
            let ty = list.ty();
            all(out, held.iter().map(|member| (member, ty.clone())))?;
        }
        (Val::Tuple(held), Type::Tuple(tuple)) => all(out, held.iter().zip(tuple.types()))?,
        (Val::Record(held), Type::Record(record)) => {
            let mut separator = '{';
            for ((name, held), field) in held.iter().zip(record.fields()) {
                let ty = field.ty;
                if matches!(held, Val::Option(None)) {
                    continue;
                }
                out.push(separator);
                separator = ',';
                text(out, &camel(name))?;
                out.push(':');
                put(out, held, &ty)?;
            }
            out.push_str(if separator == '{' { "{}" } else { "}" });
        }
        (Val::Option(Some(held)), Type::Option(option)) => put(out, held, &option.ty())?,
        (Val::Variant(tag, held), Type::Variant(variant)) => {
            let ty = variant.cases().find(|case| case.name == tag).and_then(|case| case.ty);
            tagged(out, tag, held.as_deref(), ty)?;
        }
        (Val::Result(Ok(held)), Type::Result(result)) => tagged(out, "ok", held.as_deref(), result.ok())?,
        (Val::Result(Err(held)), Type::Result(result)) => tagged(out, "err", held.as_deref(), result.err())?,
        (_, other) => bail!("wit/ has no {other:?} here so far"),
    }
    Ok(())
}

fn text(out: &mut String, held: &str) -> Result<()> {
    out.push_str(&serde_json::to_string(held)?);
    Ok(())
}

fn bytes(out: &mut String, held: &[Val]) {
    let bytes: Vec<u8> =
        held.iter().filter_map(|byte| if let Val::U8(byte) = byte { Some(*byte) } else { None }).collect();
    out.push_str("{\"base64\":\"");
    STANDARD.encode_string(bytes, out);
    out.push_str("\"}");
}

fn all<'a>(out: &mut String, members: impl Iterator<Item = (&'a Val, Type)>) -> Result<()> {
    out.push('[');
    for (place, (member, ty)) in members.enumerate() {
        if place > 0 {
            out.push(',');
        }
        put(out, member, &ty)?;
    }
    out.push(']');
    Ok(())
}

fn tagged(out: &mut String, tag: &str, held: Option<&Val>, ty: Option<Type>) -> Result<()> {
    out.push_str("{\"tag\":");
    text(out, tag)?;
    if let (Some(held), Some(ty)) = (held, ty) {
        out.push_str(",\"val\":");
        put(out, held, &ty)?;
    }
    out.push('}');
    Ok(())
}

/// `wake-at` is `wakeAt` in JSON.
fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut made, word| {
        let mut letters = word.chars();
        made.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        made.extend(letters);
        made
    })
}
