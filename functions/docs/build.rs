//! Compresses the descriptions of the API, which the component carries in that form alone.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

const FOLDER: &str = "../../docs/openapi";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={FOLDER}");
    let out = env::var("OUT_DIR")?;
    for file in fs::read_dir(FOLDER)? {
        let file = file?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Whitespace is for people who read the files of the repository.
        let document: serde_json::Value = serde_json::from_slice(&fs::read(file.path())?)?;
        encoder.write_all(&serde_json::to_vec(&document)?)?;
        let name = format!("{}.gz", file.file_name().to_string_lossy());
        fs::write(Path::new(&out).join(name), encoder.finish()?)?;
    }
    Ok(())
}
