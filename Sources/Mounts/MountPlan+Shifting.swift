import Platform

extension MountPlan {
    /// The same plan for a container whose ids are those of a range.
    ///
    /// What is made with the owner root needs no change: it is made by the container's root.
    package func shifted(by range: IDRange) -> MountPlan {
        MountPlan(
            steps.map { step in
                switch step {
                case .fileSystem(let type, let target, let parameters, let attributes):
                    let shifted = parameters.map { parameter -> MountStep.Parameter in
                        guard ["uid", "gid"].contains(parameter.key),
                            let id = parameter.value.flatMap(UInt32.init)
                        else { return parameter }
                        return .init(parameter.key, "\(range.host(id))")
                    }
                    return .fileSystem(type, at: target, parameters: shifted, attributes)
                case .bind(let spec, let required):
                    return .bind(spec.shifted(by: range), required: required)
                case .node(let target, let node): return .node(target, node.shifted(by: range))
                default: return step
                }
            })
    }
}

extension BindSpec {
    fileprivate func shifted(by range: IDRange) -> BindSpec {
        guard let owners = options.owners else { return self }
        var options = options
        options.owners = owners.shifted(by: range)
        return BindSpec(source: source, target: target, options: options)
    }
}

extension DeviceNode {
    fileprivate func shifted(by range: IDRange) -> DeviceNode {
        guard owner != 0 || group != 0 else { return self }
        return DeviceNode(
            isBlock: isBlock, major, minor, permissions: permissions, owner: range.host(owner),
            group: range.host(group))
    }
}
