//! What a layer of packages is called, in a history and on a terminal.

/// How many characters the names take; the rest are counted.
const WIDTH: usize = 34;

/// `PYTHON numpy==2.1.3`, or `PYTHON a==1 b==2 and 7 more` for many.
pub(crate) fn title(verb: &str, pins: &[String]) -> String {
    let mut title = verb.to_owned();
    let mut width = 0;
    for (at, pin) in pins.iter().enumerate() {
        width += pin.chars().count() + 1;
        let left = pins.len() - at;
        if at > 0 && width > WIDTH {
            return format!("{title} and {left} more");
        }
        title.push(' ');
        title.push_str(pin);
    }
    title
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn many_are_counted() {
        let pins = |count: usize| -> Vec<String> {
            (0..count).map(|n| format!("package-{n}=={n}.0")).collect()
        };
        let title = |count: usize| title("PYTHON", &pins(count));
        assert_eq!(title(1), "PYTHON package-0==0.0");
        assert_eq!(title(2), "PYTHON package-0==0.0 package-1==1.0");
        assert_eq!(title(3), "PYTHON package-0==0.0 package-1==1.0 and 1 more");
        assert_eq!(title(150), "PYTHON package-0==0.0 package-1==1.0 and 148 more");
        let long = vec!["a".repeat(60), "b".to_owned()];
        assert_eq!(super::title("PYTHON", &long), format!("PYTHON {} and 1 more", "a".repeat(60)));
    }
}
