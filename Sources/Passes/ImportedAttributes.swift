import IR

extension Module {
  /// `attributes` of an operation of `source`, with the resources that they name copied to this module, under other
  /// names where theirs are taken.
  mutating func importAttributes<Source: Level>(_ attributes: [NamedAttribute], from source: Module<Source>)
    -> [NamedAttribute]
  {
    attributes.map { attribute in
      guard case .resource(let name) = attribute.value, let resource = source.resource(name) else {
        return attribute
      }
      return NamedAttribute(attribute.name, constant(resource.tensor, element: resource.element, name: name))
    }
  }
}
