use crate::fixture::Image;
use crate::{Channel, Stop};

#[test]
#[ignore]
fn probe() {
    let image = Image::new();
    let text = std::fs::read_to_string("/tmp/lang/cases").unwrap();
    let mut all = Vec::new();
    for case in text.split('\u{1}') {
        let (shell, script) = case.split_once('\u{2}').unwrap();
        let shown = match image.run(&[shell, "-c", script]) {
            Ok(outcome) => {
                let out = outcome.transcript.of(Channel::Output);
                let err = outcome.transcript.of(Channel::Errors);
                [
                    &b"ok\x02"[..],
                    &out,
                    b"\x02",
                    &err,
                    b"\x02",
                    outcome.status.to_string().as_bytes(),
                ]
                .concat()
            }
            Err(Stop::Refused(refusal)) => {
                format!("refused\u{2}{refusal} at {:?}", refusal.line).into_bytes()
            }
            Err(Stop::Limit(limit)) => {
                format!("limit\u{2}{limit} at {:?}", limit.line).into_bytes()
            }
            Err(other) => format!("stop\u{2}{other:?}").into_bytes(),
        };
        all.push(shown);
    }
    std::fs::write("/tmp/lang/results", all.join(&1u8)).unwrap();
}

#[test]
#[ignore]
fn parses() {
    use crate::evaluate::dialect::Dialect;
    use crate::evaluate::syntax::Parser;
    let list = std::fs::read_to_string("/tmp/lang/scripts").unwrap();
    let (mut good, mut bad) = (0, 0);
    for path in list.lines() {
        let text = std::fs::read(path).unwrap();
        let first = text.split(|b| *b == b'\n').next().unwrap().to_vec();
        let dialect = if String::from_utf8_lossy(&first).contains("bash") {
            Dialect::Bash
        } else {
            Dialect::Dash
        };
        let mut parser = Parser::new(&text, 1, dialect);
        loop {
            match parser.complete_command() {
                Ok(Some(_)) => {}
                Ok(None) => {
                    good += 1;
                    break;
                }
                Err(e) => {
                    bad += 1;
                    println!("{path}: {e:?}");
                    break;
                }
            }
        }
    }
    println!("{good} good, {bad} bad");
}
