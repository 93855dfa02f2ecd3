//! Nodes and data to text.

use serde_json::Value;

use super::functions::{self, is_true};
use super::parse::{Base, Node, Operand, Pipeline};
use super::{TemplateError, functions::kind};

/// Evaluates `nodes` over `data`.
pub(super) fn evaluate(nodes: &[Node], data: &Value) -> Result<String, TemplateError> {
    let mut scope = Scope { variables: vec![(String::new(), data.clone())], output: String::new() };
    scope.nodes(nodes, data)?;
    Ok(scope.output)
}

/// Whether a loop goes on.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Scope {
    /// Innermost last; the first is `$`.
    variables: Vec<(String, Value)>,
    output: String,
}

impl Scope {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, TemplateError> {
        // Variables live to the end of the block that declares them.
        let outer = self.variables.len();
        let mut flow = Flow::On;
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow != Flow::On {
                break;
            }
        }
        self.variables.truncate(outer);
        Ok(flow)
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<Flow, TemplateError> {
        match node {
            Node::Text(text) => self.output.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.assignment.is_none() {
                    functions::print(&value, &mut self.output);
                }
            }
            Node::If { branches, otherwise } => {
                for (condition, body) in branches {
                    let outer = self.variables.len();
                    let holds = is_true(&self.pipeline(condition, dot)?);
                    if holds {
                        let flow = self.nodes(body, dot)?;
                        self.variables.truncate(outer);
                        return Ok(flow);
                    }
                }
                return self.nodes(otherwise, dot);
            }
            Node::With { over, body, otherwise } => {
                let outer = self.variables.len();
                let value = self.pipeline(over, dot)?;
                let flow = if is_true(&value) {
                    self.nodes(body, &value)?
                } else {
                    self.nodes(otherwise, dot)?
                };
                self.variables.truncate(outer);
                return Ok(flow);
            }
            Node::Range { names, over, body, otherwise } => {
                let value = self.pipeline(over, dot)?;
                return self.range(names, &value, body, otherwise, dot);
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn range(
        &mut self,
        names: &[String],
        over: &Value,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<Flow, TemplateError> {
        let items: Vec<(Value, &Value)> = match over {
            Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.into(), v)).collect(),
            Value::Object(map) => {
                let mut items: Vec<_> = map.iter().map(|(k, v)| (k.as_str(), v)).collect();
                // "If the value is a map […], the elements will be visited in sorted key order."
                items.sort_by_key(|(key, _)| *key);
                items.into_iter().map(|(key, value)| (key.into(), value)).collect()
            }
            Value::Null => Vec::new(),
            other => {
                return Err(TemplateError::Argument {
                    name: "range".into(),
                    problem: format!("goes over {}", kind(other)),
                });
            }
        };
        if items.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, item) in items {
            let outer = self.variables.len();
            match names {
                [value] => self.variables.push((value.clone(), item.clone())),
                [first, second] => {
                    self.variables.push((first.clone(), key));
                    self.variables.push((second.clone(), item.clone()));
                }
                _ => {}
            }
            let flow = self.nodes(body, item)?;
            self.variables.truncate(outer);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, TemplateError> {
        let mut piped: Option<Value> = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, dot)?);
        }
        let value = piped.unwrap_or_default();
        if let Some(assignment) = &pipeline.assignment {
            let name = &assignment.name;
            if assignment.declares {
                self.variables.push((name.clone(), value.clone()));
            } else {
                let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
                let none = || TemplateError::NoVariable { name: name.clone() };
                known.ok_or_else(none)?.1 = value.clone();
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        operands: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Value, TemplateError> {
        let Some((first, arguments)) = operands.split_first() else { return Ok(Value::Null) };
        let Base::Function(name) = &first.base else {
            if arguments.is_empty() && piped.is_none() {
                return self.operand(first, dot);
            }
            return Err(TemplateError::Argument {
                name: text_of(first),
                problem: "is given values, and is not a function".into(),
            });
        };
        if let Some(short) = self.short_circuit(name, arguments, piped.as_ref(), dot)? {
            return Ok(short);
        }
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for argument in arguments {
            values.push(self.operand(argument, dot)?);
        }
        values.extend(piped);
        fields(functions::call(name, &values)?, &first.fields, name)
    }

    /// `and` and `or` look at no more than they must, as Go's do since 1.18.
    fn short_circuit(
        &mut self,
        name: &str,
        arguments: &[Operand],
        piped: Option<&Value>,
        dot: &Value,
    ) -> Result<Option<Value>, TemplateError> {
        let stop_at = match name {
            "and" => false,
            "or" => true,
            _ => return Ok(None),
        };
        let mut last = None;
        for argument in arguments {
            let value = self.operand(argument, dot)?;
            if is_true(&value) == stop_at {
                return Ok(Some(value));
            }
            last = Some(value);
        }
        match piped.cloned().or(last) {
            Some(value) => Ok(Some(value)),
            None => Err(TemplateError::Argument {
                name: name.to_owned(),
                problem: "is given nothing".into(),
            }),
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, TemplateError> {
        let value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Literal(value) => value.clone(),
            Base::Pipeline(pipeline) => self.pipeline(pipeline, dot)?,
            Base::Function(name) => functions::call(name, &[])?,
            Base::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let none = || TemplateError::NoVariable { name: name.clone() };
                known.ok_or_else(none)?.1.clone()
            }
        };
        let of = match &operand.base {
            Base::Variable(name) if !name.is_empty() => format!("${name}"),
            _ => String::new(),
        };
        fields(value, &operand.fields, &of)
    }
}

/// Goes down from `value` by `fields`; `of` says what `value` is.
fn fields(mut value: Value, fields: &[String], of: &str) -> Result<Value, TemplateError> {
    let mut path = of.to_owned();
    for field in fields {
        let told = || match path.as_str() {
            "" => "the data".to_owned(),
            path => format!("`{path}`"),
        };
        value = match value {
            Value::Object(mut map) => match map.shift_remove(field) {
                Some(inner) => inner,
                None => {
                    let known = map.keys().filter(|key| is_name(key)).cloned().collect();
                    return Err(TemplateError::NoField { field: field.clone(), of: told(), known });
                }
            },
            other => {
                let of = format!("{}, {},", told(), kind(&other));
                return Err(TemplateError::NoField { field: field.clone(), of, known: Vec::new() });
            }
        };
        path = format!("{path}.{field}");
    }
    Ok(value)
}

/// Whether a key can be written after a dot.
fn is_name(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn text_of(operand: &Operand) -> String {
    match &operand.base {
        Base::Dot => format!(".{}", operand.fields.join(".")),
        Base::Variable(name) => format!("${name}"),
        Base::Function(name) => name.clone(),
        Base::Literal(value) => value.to_string(),
        Base::Pipeline(_) => "(…)".to_owned(),
    }
}
