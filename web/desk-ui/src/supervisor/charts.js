// ECharts with the parts that are used, and the options of our charts.
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import * as echarts from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import { LEVEL_TARGET } from './figures.js'
import { pointLabel } from './trends.js'

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer])
export const makeChart = (element) => echarts.init(element)

const CALM = '#2f7d5b'
const RED = '#c8503f'
const BLUE = '#3b6ea5'
const AMBER = '#d99a1c'
const INK = '#5f5a53'
const LINE = '#e6e1d9'
const FONT = { fontFamily: "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif", color: INK }

const base = (labels) => ({
  textStyle: FONT,
  animationDuration: 300,
  grid: { left: 8, right: 12, top: 36, bottom: 4, containLabel: true },
  legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 9, textStyle: FONT },
  tooltip: { trigger: 'axis', confine: true },
  xAxis: { type: 'category', data: labels, axisTick: { show: false }, axisLine: { lineStyle: { color: LINE } }, axisLabel: { color: INK, hideOverlap: true } },
})
const value = (more = {}) => ({ type: 'value', splitLine: { lineStyle: { color: LINE } }, axisLabel: { color: INK }, ...more })
const line = (name, data, color, more = {}) => ({
  name, type: 'line', data, color, connectNulls: true, symbolSize: 6, lineStyle: { width: 2.5 }, ...more,
})
const labelsOf = (points, days) => points.map((point) => pointLabel(point.at, days))
const rounded = (share) => (share == null ? null : Math.round(share * 100))

export function talksOption(points, days) {
  const bar = (name, field, color, radius = 0) => ({
    name, type: 'bar', stack: 'people', color, barMaxWidth: 28, data: points.map((point) => point[field]), itemStyle: { borderRadius: radius },
  })
  return {
    ...base(labelsOf(points, days)),
    yAxis: value({ minInterval: 1 }),
    series: [
      bar('人工接起', 'answered', CALM),
      bar('没等到就走了', 'abandoned', RED, [3, 3, 0, 0]),
      line('全部会话', points.map((point) => point.talks), BLUE),
    ],
  }
}

export function levelOption(points, days) {
  const target = line('目标', points.map(() => LEVEL_TARGET * 100), AMBER, { symbol: 'none', lineStyle: { type: 'dashed', width: 1.5 } })
  return {
    ...base(labelsOf(points, days)),
    tooltip: { trigger: 'axis', confine: true, valueFormatter: (share) => (share == null ? '–' : `${share}%`) },
    yAxis: value({ min: 0, max: 100, axisLabel: { color: INK, formatter: '{value}%' } }),
    series: [line('服务水平', points.map((point) => rounded(point.service_level)), CALM), target],
  }
}

export function ratingOption(points, days) {
  const one = (mean) => (mean == null ? null : Math.round(mean * 10) / 10)
  return {
    ...base(labelsOf(points, days)),
    yAxis: value({ min: 1, max: 5, interval: 1 }),
    series: [line('满意度（1–5）', points.map((point) => one(point.satisfaction)), BLUE)],
  }
}

/** Lying bars, the longest on top. */
export function barsOption(bars, name) {
  const upwards = [...bars].reverse()
  return {
    textStyle: FONT,
    animationDuration: 300,
    grid: { left: 8, right: 36, top: 4, bottom: 4, containLabel: true },
    tooltip: { trigger: 'axis', confine: true, axisPointer: { type: 'shadow' } },
    xAxis: value({ minInterval: 1, splitLine: { show: false }, axisLabel: { show: false } }),
    yAxis: {
      type: 'category', data: upwards.map((bar) => bar.label), axisTick: { show: false }, axisLine: { show: false },
      axisLabel: { color: INK, width: 110, overflow: 'truncate' },
    },
    series: [{
      name, type: 'bar', color: BLUE, barMaxWidth: 18, data: upwards.map((bar) => bar.count), itemStyle: { borderRadius: [0, 3, 3, 0] },
      label: { show: true, position: 'right', color: INK },
    }],
  }
}
