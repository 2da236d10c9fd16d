//! Blocks of code of a page, as tests of the book read them.

/// A block between fences.
#[derive(Clone, Debug)]
pub struct Block {
    /// What stands behind the fence; empty where nothing does.
    pub language: String,
    pub text: String,
    /// The paragraph before it.
    pub before: String,
}

impl Block {
    /// The last name in backticks before it that ends so: `my_village.ron`.
    pub fn file(&self, ending: &str) -> Option<&str> {
        self.before.split('`').skip(1).step_by(2).filter(|name| name.ends_with(ending)).last()
    }
}

/// All blocks of a page in their order.
pub fn blocks(page: &str) -> Vec<Block> {
    let (mut all, mut before, mut open): (Vec<Block>, Vec<&str>, Option<Block>) = (vec![], vec![], None);
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => {
                all.push(block);
                before.clear();
            }
            (Some(language), None) => {
                let words = before.iter().rev().skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
                let paragraph: Vec<&str> = words.copied().collect::<Vec<_>>().into_iter().rev().collect();
                open = Some(Block {
                    language: language.trim().to_owned(),
                    text: String::new(),
                    before: paragraph.join(" "),
                });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => before.push(line),
        }
    }
    all
}
