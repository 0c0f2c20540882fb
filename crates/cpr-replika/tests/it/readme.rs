//! README.md shows the example of the library: the compiler reads the file, and here the two are held to be one.

#[test]
fn the_example_of_the_readme_is_the_file_it_names() {
    let readme = include_str!("../../../../README.md");
    let file = include_str!("../../examples/as_of.rs");
    let shown = readme.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
    let (_, code) = file.split_once("\n\n").unwrap();
    assert!(readme.contains("crates/cpr-replika/examples/as_of.rs"));
    assert_eq!(shown, code);
}
